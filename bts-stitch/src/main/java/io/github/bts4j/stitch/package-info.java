/**
 * Branch-Train-Stitch: a frozen hub and frozen experts, joined by small trainable stitch layers (arXiv 2502.00075, section 3).
 *
 * <p>Every model has L Transformer layers. After some of them there is a stitch layer, in which the streams exchange their hidden
 * states {@code h_0} (hub) and {@code h_1 .. h_n} (experts), each {@code [batch, sequence, hidden]}. The kinds alternate, and
 * the last one, after layer L, is always Experts-into-Hub; the hub's final norm and head then give
 * the logits. The gate is elementwise, one value per token, channel and model, and computed from the hub's state:
 *
 * <pre>{@code
 * Experts-into-Hub (eq. 3)                         Hub-into-Experts (eq. 4)
 * g    = softmax(dropout(W_gate h_0)) over models  g    = sigmoid(dropout(W_gate h_0))
 * h~_i = W_proj,i h_i                              h~_0 = h_0
 * h~_0 = g_0 * h_0 + sum_i g_i * h~_i              h~_i = (1 - g_i) * h_i + g_i * W_proj,i h_0
 * }</pre>
 *
 * All of {@code h~_0 .. h~_n} are passed on: an Experts-into-Hub layer also replaces the experts' states by their projections.
 * {@link io.github.bts4j.stitch.StitchedModel} is the model, {@link io.github.bts4j.stitch.StitchConfig} is the layout
 * and initialisation of the stitches, {@link io.github.bts4j.stitch.StitchCheckpoint} stores the stitch layers with the SHA-256
 * of all base files.
 */
package io.github.bts4j.stitch;
