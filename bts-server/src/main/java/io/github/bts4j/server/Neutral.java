package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.TextNode;

/**
 * Fields that clients send and this server does not support: those of OpenAI's API and of compatible servers (vLLM,
 * llama.cpp). A field that cannot change the response is accepted; any other only with its default value.
 */
final class Neutral {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final JsonNode EMPTY_LIST = JSON.arrayNode();
    private static final JsonNode NO = BooleanNode.FALSE;
    private static final JsonNode YES = BooleanNode.TRUE;
    private static final JsonNode ZERO = IntNode.valueOf(0);
    private static final JsonNode ONE = IntNode.valueOf(1);

    private Neutral() {}

    /** Fields of completions and chats. */
    static void check(Fields fields) {
        fields.ignored("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention");
        fields.onlyNeutral("ignore_eos", NO);
        fields.onlyNeutral("include_stop_str_in_output", NO);
        fields.onlyNeutral("use_beam_search", NO);
        fields.onlyNeutral("skip_special_tokens", YES);
        fields.onlyNeutral("spaces_between_special_tokens", YES);
        fields.onlyNeutral("min_tokens", ZERO);
        fields.onlyNeutral("length_penalty", ONE);
        fields.onlyNeutral("repeat_penalty", ONE);
        fields.onlyNeutral("typical_p", ONE);
        fields.onlyNeutral("stop_token_ids", EMPTY_LIST);
        fields.onlyNeutral("bad_words", EMPTY_LIST);
    }

    static void checkCompletion(Fields fields) {
        check(fields);
        fields.onlyNeutral("suffix", TextNode.valueOf(""));
    }

    static void checkChat(Fields fields) {
        check(fields);
        fields.ignored("prediction"); // affects speed only
        fields.onlyNeutral("functions", EMPTY_LIST);
        fields.onlyNeutral("function_call", TextNode.valueOf("none"), TextNode.valueOf("auto"));
        fields.onlyNeutral("modalities", JSON.arrayNode().add("text"));
        fields.onlyNeutral("audio");
        fields.onlyNeutral("moderation");
        fields.onlyNeutral("web_search_options");
        fields.onlyNeutral("reasoning_effort", TextNode.valueOf("none"));
        fields.onlyNeutral("verbosity", TextNode.valueOf("medium"));
        fields.onlyNeutral("add_special_tokens", NO);
        fields.onlyNeutral("echo", NO);
    }
}
