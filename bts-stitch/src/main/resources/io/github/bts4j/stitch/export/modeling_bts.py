"""A stitched model: Branch-Train-Stitch (arXiv 2502.00075), written by bts4j.

Frozen models, the hub and its experts, read the same tokens. Each has a stream of hidden states; stitch layers between their layers let the
streams exchange them. Logits are those of the hub's final norm and head.
"""

import inspect

import torch
from torch import nn
from transformers import AutoModel, DynamicCache, GenerationMixin, PreTrainedModel
from transformers.masking_utils import create_causal_mask
from transformers.modeling_outputs import CausalLMOutputWithPast

from .configuration_bts import BtsConfig

# the argument's name in this version of transformers
CACHE = "cache" if "cache" in inspect.signature(create_causal_mask).parameters else "past_key_values"


class BtsGate(nn.Module):
    """Gate logits of every model and channel, computed from the hub's state."""

    def __init__(self, models, hidden_size, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(models, hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(models, hidden_size)) if bias else None

    def forward(self, hub):
        models, hidden_size = self.weight.shape[:2]
        logits = nn.functional.linear(hub, self.weight.flatten(0, 1), None if self.bias is None else self.bias.flatten())
        return logits.view(*hub.shape[:-1], models, hidden_size)  # [batch, sequence, models, hidden]


class BtsStitchLayer(nn.Module):
    """One stitch layer of either kind."""

    def __init__(self, config, index):
        super().__init__()
        experts = len(config.expert_configs)
        self.into_hub = config.into_hub(index)
        self.gate = BtsGate(experts + 1, config.hidden_size, config.gate_bias)
        self.proj = nn.ModuleDict({str(i + 1): nn.Linear(config.hidden_size, config.hidden_size, bias=False) for i in range(experts)})
        self.dropout = nn.Dropout(config.gate_dropout)

    def forward(self, streams):
        """streams: the states of the hub and of each expert, `[batch, sequence, hidden]`."""
        hub, *experts = streams
        logits = self.dropout(self.gate(hub))
        projections = list(self.proj.values())
        if self.into_hub:  # equation 3
            gates = logits.softmax(dim=-2).unbind(dim=-2)
            experts = [proj(expert) for proj, expert in zip(projections, experts)]
            hub = sum(gate * state for gate, state in zip(gates, [hub, *experts]))
        else:  # equation 4
            gates = logits.sigmoid().unbind(dim=-2)[1:]
            experts = [(1 - gate) * expert + gate * proj(hub) for gate, proj, expert in zip(gates, projections, experts)]
        return [hub, *experts]


class BtsPreTrainedModel(PreTrainedModel):
    config_class = BtsConfig
    base_model_prefix = ""
    _supports_sdpa = True
    _supports_flash_attn = True
    _skip_keys_device_placement = ["cache", "past_key_values"]

    @torch.no_grad()
    def _init_weights(self, module):
        if isinstance(module, BtsGate):
            module.weight.zero_()
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, BtsStitchLayer):
            for proj in module.proj.values():
                nn.init.eye_(proj.weight)
        else:
            super()._init_weights(module)


class BtsForCausalLM(BtsPreTrainedModel, GenerationMixin):
    _tied_weights_keys = {"lm_head.weight": "hub.embed_tokens.weight"}

    def __init__(self, config):
        super().__init__(config)
        hub_config, *expert_configs = config.stream_configs()
        self.hub = self._stream(hub_config, 0)
        self.experts = nn.ModuleList([self._stream(expert, i + 1) for i, expert in enumerate(expert_configs)])
        for expert in self.experts:
            expert.norm = nn.Identity()  # the hub's norm and head compute the logits
        self.stitch = nn.ModuleList([BtsStitchLayer(config, j) for j in range(len(config.after_layers))])
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def _stream(self, config, number):
        """The decoder of one stream, whose layers have entries of their own in the cache."""
        model = AutoModel.from_config(config, attn_implementation=self.config._attn_implementation)
        for index, layer in enumerate(model.layers):
            layer.self_attn.layer_idx = number * len(model.layers) + index
        return model

    def get_input_embeddings(self):
        return self.hub.embed_tokens

    def set_input_embeddings(self, value):
        raise NotImplementedError("Each stream has embeddings of its own")

    def get_output_embeddings(self):
        return self.lm_head

    def set_output_embeddings(self, value):
        self.lm_head = value

    def forward(
        self,
        input_ids=None,
        attention_mask=None,
        position_ids=None,
        cache=None,
        past_key_values=None,
        labels=None,
        use_cache=None,
        logits_to_keep=0,
        **kwargs,
    ):
        r"""
        cache (`Cache`, *optional*): keys and values of all streams: those of stream `i` follow those of the streams before it. Earlier versions of
            transformers call it `past_key_values`.
        labels (`torch.LongTensor`, *optional*): the token ids, for the next-token loss; -100 is ignored.
        """
        cache = past_key_values if cache is None else cache
        if cache is None and (self.config.use_cache if use_cache is None else use_cache):
            cache = DynamicCache()
        if position_ids is None:
            seen = 0 if cache is None else cache.get_seq_length()
            position_ids = torch.arange(seen, seen + input_ids.shape[1], device=input_ids.device)[None]
        models = [self.hub, *self.experts]
        streams = [model.embed_tokens(input_ids) for model in models]
        rotary = [model.rotary_emb(stream, position_ids) for model, stream in zip(models, streams)]
        mask = create_causal_mask(
            config=self.hub.config,
            inputs_embeds=streams[0],
            attention_mask=attention_mask,
            position_ids=position_ids,
            **{CACHE: cache},
        )
        first = 0
        for stitch, last in zip(self.stitch, self.config.after_layers):
            for i, model in enumerate(models):
                for layer in model.layers[first:last]:
                    streams[i] = layer(
                        streams[i],
                        attention_mask=mask,
                        position_ids=position_ids,
                        position_embeddings=rotary[i],
                        use_cache=cache is not None,
                        **{CACHE: cache},
                    )
            streams = stitch(streams)
            first = last
        hidden = self.hub.norm(streams[0])
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(hidden[:, kept])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(loss=loss, logits=logits, **{CACHE: cache})


__all__ = ["BtsForCausalLM"]
