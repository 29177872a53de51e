package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import java.util.List;
import java.util.Map;

/**
 * The Llama decoder: {@code decoder.py} beside this interface defines what each method computes, with equations and shapes. Internal.
 *
 * <p>{@code m} is a model; {@code rope} holds its rotary tables, of which {@code row} is the row of the first token.
 */
@KernelSource(value = "decoder.py", products = true)
public interface DecoderKernels extends AttentionKernels, BlockKernels {
    /**
     * Gathers a model's weights by their names.
     *
     * @param mode the autograd mode
     * @param tensors every tensor by its Hugging Face name, norms of layers by their place; a matrix of int8 has its scales under its name and {@code _scale},
     *     one in blocks ggml's number of their type under its name and {@code _type}
     * @param sizes heads, heads of keys and values, size of a head, kind of norm weight, whether the activation is GELU, whether the head is the embedding
     * @param windows the window of every layer, 0 for none
     * @param rotations the rotary table of every layer
     * @param eps what the norms add to the mean square
     * @param attentionScale what scores are multiplied by
     * @param embeddingMultiplier what embeddings are multiplied by
     * @param residualMultiplier what branches are multiplied by
     * @param logitsDivisor what logits are divided by
     * @return the model, which the caller closes; {@code KernelWeights} in {@code torch.llama} makes the arguments
     */
    LlamaWeights llama(Autograd mode, Map<String, NDArray> tensors, long[] sizes, long[] windows, long[] rotations, double eps, double attentionScale, double embeddingMultiplier,
            double residualMultiplier, double logitsDivisor);

    /**
     * Stacks tensors.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param parts tensors whose shapes differ in one dimension at most
     * @param dim that dimension
     * @param size its length in the result; shorter tensors are padded with zeros
     * @return {@code [n, ..]}
     */
    NDArray stacked(NDManager owner, Autograd mode, List<NDArray> parts, long dim, long size);

    /**
     * A matrix as int8.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param w {@code [out, in]}
     * @param dtype type of the scales
     * @return int8 {@code [out, in]} and scales {@code [out]}
     */
    List<NDArray> quantize(NDManager owner, Autograd mode, NDArray w, ElementType dtype);

    /**
     * Dequantises an int8 matrix.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param q int8 {@code [out, in]}
     * @param scale {@code [out]}
     * @return {@code [out, in]} in the scales' type
     */
    NDArray dequantize(NDManager owner, Autograd mode, NDArray q, NDArray scale);

    /**
     * Which tokens may attend to which.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param ids int64 {@code [batch, sequence]}
     * @param token the token between documents
     * @param begins whether it begins them
     * @return bool {@code [batch, 1, sequence, sequence]}
     */
    NDArray documentMask(NDManager owner, Autograd mode, NDArray ids, long token, boolean begins);

    /**
     * Which tokens may attend to which, where their documents are known.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param documents int64 {@code [batch, sequence]}, the number of every token's document
     * @return bool {@code [batch, 1, sequence, sequence]}
     */
    NDArray withinDocuments(NDManager owner, Autograd mode, NDArray documents);

    /**
     * Rotary tables with a restriction of attention.
     *
     * @param mode the autograd mode
     * @param rope the tables
     * @param allowed bool {@code [batch, 1, sequence, sequence]}
     * @return tables, which the caller closes
     */
    TensorList maskedRope(Autograd mode, TensorList rope, NDArray allowed);

    /**
     * The embeddings of tokens.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param ids int64 {@code [batch, sequence]}
     * @param m the model
     * @return {@code [batch, sequence, hidden]}
     */
    NDArray embed(NDManager owner, Autograd mode, NDArray ids, LlamaWeights m);

    /**
     * The final norm.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param x {@code [.., hidden]}
     * @param m the model
     * @return the same shape
     */
    NDArray finalNorm(NDManager owner, Autograd mode, NDArray x, LlamaWeights m);

    /**
     * The state after the final norm.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param ids int64 {@code [batch, sequence]}
     * @param m the model
     * @param rope its rotary tables
     * @param row the row of the first token
     * @return {@code [batch, sequence, hidden]}
     */
    NDArray forwardHidden(NDManager owner, Autograd mode, NDArray ids, LlamaWeights m, TensorList rope, long row);

    /**
     * Logits of all tokens.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param ids int64 {@code [batch, sequence]}
     * @param m the model
     * @param rope its rotary tables
     * @param row the row of the first token
     * @return float32 {@code [batch, sequence, vocabulary]}
     */
    NDArray forward(NDManager owner, Autograd mode, NDArray ids, LlamaWeights m, TensorList rope, long row);

    /**
     * Every layer's state.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param ids int64 {@code [batch, sequence]}
     * @param m the model
     * @param rope its rotary tables
     * @param row the row of the first token
     * @return one more float32 {@code [batch, sequence, hidden]} than there are layers
     */
    List<NDArray> forwardStates(NDManager owner, Autograd mode, NDArray ids, LlamaWeights m, TensorList rope, long row);

    /**
     * A step of decoding: the new tokens of one session, or the next token of each of several.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param ids int64 {@code [1, tokens]}
     * @param m the model
     * @param ropes rotary tables for each session
     * @param rows the row of its first new token in each
     * @param keys cached keys of every session and layer, written in place
     * @param values cached values of every session and layer, written in place
     * @param starts tokens in each session's caches
     * @return float32 logits of each session's last token, {@code [sessions, vocabulary]}
     */
    NDArray decode(NDManager owner, Autograd mode, NDArray ids, LlamaWeights m, TorchList<TensorList> ropes, long[] rows, TorchList<TensorList> keys,
            TorchList<TensorList> values, long[] starts);

    /**
     * Some layers of a prompt in blocks, each of which is computed as if it went through all layers alone.
     *
     * @param owner owner of the results
     * @param mode the autograd mode
     * @param x the states of each block before the layers, {@code [1, tokens, hidden]}
     * @param m the model
     * @param ropes rotary tables of each stream
     * @param rows the row of the first block's first token in each
     * @param keys cached keys of every stream and layer, written in place
     * @param values cached values of every stream and layer, written in place
     * @param at number of the stream in those lists
     * @param start tokens in the caches
     * @param first the first layer, from 0
     * @param last one past the last layer
     * @return the states of each block after them, {@code [1, tokens, hidden]}
     */
    List<NDArray> decodeBlocks(NDManager owner, Autograd mode, List<NDArray> x, LlamaWeights m, TorchList<TensorList> ropes, long[] rows, TorchList<TensorList> keys,
            TorchList<TensorList> values, long at, long start, long first, long last);

    /**
     * The end of a step of decoding.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param x the states after the last layer, {@code [1, tokens, hidden]}
     * @param m the model
     * @param sessions number of sessions
     * @return float32 logits of each session's last token, {@code [sessions, vocabulary]}
     */
    NDArray decodeLogits(NDManager owner, Autograd mode, NDArray x, LlamaWeights m, long sessions);

    /**
     * Next-token losses.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param states {@code [batch, sequence, hidden]} after the final norm
     * @param head {@code [vocabulary, hidden]}
     * @param labels int64 {@code [batch, sequence]}
     * @param chunk tokens whose logits exist at once
     * @return float32 losses in nats, {@code [batch * sequence]}, 0 where the label is negative
     */
    NDArray tokenLoss(NDManager owner, Autograd mode, NDArray states, NDArray head, NDArray labels, long chunk);

    /**
     * Copies some tokens' keys, or values, of all layers.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param cache one tensor {@code [1, kv_heads, capacity, head_dim]} per layer
     * @param start the first token
     * @param end one past the last token
     * @return {@code [layers, 1, kv_heads, tokens, head_dim]}
     */
    NDArray copyCache(NDManager owner, Autograd mode, TensorList cache, long start, long end);

    /**
     * Writes copied keys, or values, back.
     *
     * @param mode the autograd mode
     * @param cache one tensor {@code [1, kv_heads, capacity, head_dim]} per layer
     * @param copy {@code [layers, 1, kv_heads, tokens, head_dim]}
     * @param start the first token's place
     */
    void restoreCache(Autograd mode, TensorList cache, NDArray copy, long start);
}
