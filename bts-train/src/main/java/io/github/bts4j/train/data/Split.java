package io.github.bts4j.train.data;

/**
 * The two parts of a dataset. Both keep its name and the order of its documents.
 *
 * @param training documents to train on
 * @param heldOut documents to evaluate on
 */
public record Split(TokenDataset training, TokenDataset heldOut) {
}
