"""Configuration of a stitched model: Branch-Train-Stitch (arXiv 2502.00075), written by bts4j."""

from transformers import AutoConfig, PretrainedConfig


class BtsConfig(PretrainedConfig):
    r"""
    Args:
        hub_config (`dict`): configuration of the hub, such as that of a Llama model.
        expert_configs (`list[dict]`): configurations of the experts, in the order of the gates.
        expert_names (`list[str]`): their names.
        after_layers (`list[int]`): the Transformer layers after which stitch layers sit, counted from 1; the last is the last layer.
        alternating (`bool`): whether the two kinds of stitch layer alternate, ending with Experts-into-Hub.
        gate_bias (`bool`): whether the gates have biases.
        gate_dropout (`float`): dropout of the gates' logits in training.
        base_models (`list[dict]`): name and SHA-256 of every file of each model that the stitches were trained with, hub first.
        weights_sha256 (`dict`): SHA-256 of the weight files of this checkpoint.
        use_cache (`bool`): whether a forward pass returns keys and values.
    """

    model_type = "bts"
    has_no_defaults_at_init = True

    def __init__(
        self,
        hub_config=None,
        expert_configs=(),
        expert_names=(),
        after_layers=(),
        alternating=True,
        gate_bias=False,
        gate_dropout=0.0,
        base_models=(),
        weights_sha256=None,
        use_cache=True,
        **kwargs,
    ):
        self.hub_config = hub_config or {}
        self.expert_configs = list(expert_configs)
        self.expert_names = list(expert_names)
        self.after_layers = list(after_layers)
        self.alternating = alternating
        self.gate_bias = gate_bias
        self.gate_dropout = gate_dropout
        self.base_models = list(base_models)
        self.weights_sha256 = weights_sha256 or {}
        self.use_cache = use_cache
        # what generation and evaluation ask of a configuration is the hub's
        for key in ("vocab_size", "hidden_size", "num_attention_heads", "num_key_value_heads", "bos_token_id", "eos_token_id", "tie_word_embeddings"):
            kwargs.setdefault(key, self.hub_config.get(key))
        models = [self.hub_config, *self.expert_configs]
        kwargs.setdefault("max_position_embeddings", min(model.get("max_position_embeddings", 0) for model in models))
        # one entry of the cache for each layer of each stream
        kwargs["num_hidden_layers"] = sum(model.get("num_hidden_layers", 0) for model in models)
        super().__init__(**kwargs)

    def stream_configs(self):
        """The configurations of all streams, hub first."""
        return [AutoConfig.for_model(**config) for config in (self.hub_config, *self.expert_configs)]

    def into_hub(self, index):
        """Whether stitch layer `index`, counted from 0, is Experts-into-Hub."""
        return not self.alternating or (len(self.after_layers) - 1 - index) % 2 == 0


__all__ = ["BtsConfig"]
