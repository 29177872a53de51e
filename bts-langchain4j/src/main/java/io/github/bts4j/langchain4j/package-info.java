/**
 * Chat models for LangChain4j that run in this process: {@link io.github.bts4j.langchain4j.BtsChatModel} and
 * {@link io.github.bts4j.langchain4j.BtsStreamingChatModel}.
 */
package io.github.bts4j.langchain4j;
