package io.github.bts4j.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.github.bts4j.core.chat.ToolCallEvent;
import io.github.bts4j.core.chat.ToolCallParser;
import io.github.bts4j.core.generate.GeneratedToken;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** An answer that is being generated. */
final class Turn implements AutoCloseable {
    private static final int ID_LENGTH = 9; // Mistral's templates accept no other

    private final TokenStream stream;
    private final Optional<ToolCallParser> parser;
    private final StreamingChatResponseHandler handler;
    private final StringBuilder text = new StringBuilder();
    private final List<ToolExecutionRequest> calls = new ArrayList<>();
    private final StringBuilder arguments = new StringBuilder(); // of the latest call

    Turn(TokenStream stream, RequestedTools tools, LlamaTokenizer tokenizer, StreamingChatResponseHandler handler) {
        this.stream = stream;
        this.parser = tools.format().map(format -> new ToolCallParser(format, tokenizer, Integer.MAX_VALUE));
        this.handler = handler;
    }

    /** Generates the whole answer. */
    TokenStream toEnd() {
        while (stream.hasNext()) {
            GeneratedToken token = stream.next();
            if (parser.isEmpty()) {
                said(token.text());
            } else {
                parser.get().push(token).forEach(this::event);
            }
        }
        parser.ifPresent(known -> known.end().forEach(this::event));
        completeCall();
        return stream;
    }

    private void said(String piece) {
        text.append(piece);
        if (!piece.isEmpty()) {
            handler.onPartialResponse(piece);
        }
    }

    private void event(ToolCallEvent event) {
        if (event instanceof ToolCallEvent.Content content) {
            said(content.text());
        } else if (event instanceof ToolCallEvent.Call call) {
            completeCall();
            calls.add(ToolExecutionRequest.builder().id(UUID.randomUUID().toString().replace("-", "").substring(0, ID_LENGTH)).name(call.name()).arguments("").build());
        } else if (event instanceof ToolCallEvent.Arguments more) {
            ToolExecutionRequest call = calls.get(more.index());
            arguments.append(more.text());
            handler.onPartialToolCall(PartialToolCall.builder().index(more.index()).id(call.id()).name(call.name()).partialArguments(more.text()).build());
        }
    }

    private void completeCall() {
        int last = calls.size() - 1;
        if (last >= 0 && calls.get(last).arguments().isEmpty()) {
            calls.set(last, calls.get(last).toBuilder().arguments(arguments.toString()).build());
            arguments.setLength(0);
            handler.onCompleteToolCall(new CompleteToolCall(last, calls.get(last)));
        }
    }

    /** The message as far as it was generated. */
    AiMessage message() {
        AiMessage.Builder message = AiMessage.builder().toolExecutionRequests(calls);
        return (calls.isEmpty() || !text.toString().isBlank() ? message.text(text.toString()) : message).build();
    }

    boolean hasCalls() {
        return !calls.isEmpty();
    }

    @Override
    public void close() {
        stream.close();
    }
}
