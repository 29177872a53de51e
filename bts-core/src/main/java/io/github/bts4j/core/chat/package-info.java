/**
 * From a conversation to a prompt: the checkpoint's own Jinja template, or the built-in formats of Llama 2 and Llama 3
 * ({@link io.github.bts4j.core.chat.ChatTemplate}). Special-token text that somebody writes into a message stays text.
 */
package io.github.bts4j.core.chat;
