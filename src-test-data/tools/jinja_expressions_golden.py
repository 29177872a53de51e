"""Writes src-test-data/chat/expressions.json.gz: what transformers' chat-template environment makes of some thousand templates: methods of texts by arguments, filters, tests,
operators by pairs of values, formats, whitespace control, loops, macros, scopes, refusals. A case is [template, text] or [template] if it is refused. Variables are those of VARIABLES.
Answers that are addresses in memory are left out. Run: python3 jinja_expressions_golden.py"""
import copy
import gzip
import itertools
import json
import multiprocessing
import random
import re
from pathlib import Path

VARIABLES = {
    "messages": [{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Hey there"}, {"role": "assistant", "content": "<think>hm</think>Hi.\n"},
                 {"role": "user", "content": "false"}],
    "tools": None, "documents": None, "add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>",
    "s": "Hello, World", "u": "ün\u00ef \U0001f642 ﬁß", "e": "", "w": "  a\tb\n\n c  ", "n": 7, "z": 0, "m": -3, "f": 2.5, "g": -0.0, "h": 1e22, "t": True, "o": None,
    "l": [3, 1, 2], "k": ["b", "A", "c", "a"], "y": [], "d": {"b": 1, "a": [1, {"x": "y\n'\""}], "items": 5}, "q": {},
    "p": [{"name": "x", "v": 2, "tags": ["a"]}, {"name": "Y", "v": 1, "tags": []}, {"name": "x", "v": 3}], "big": 123456789012345678901234567890, "html": "<a href='x'>T & \"q\"</a>",
}
TEXTS = ["s", "u", "e", "w", "'aXbXc'", "'a,b,,c'", "'12'", "' x '", "'abcabc'", "'ǆ ŉa ῼ ΑΣ'", "'it\\'s a TITLE-case'", "'x\\ny\\r\\nz\\x0b1\\u2028e'", "'½²٣'", "'tab\\tt'", "'-7'", "'İstanbul'"]
VALUES = ["s", "u", "e", "n", "z", "m", "f", "g", "h", "t", "o", "l", "k", "y", "d", "q", "missing", "(1, 'a')", "()", "range(3)", "big", "false", "'7'", "d.items()", "d.keys()",
          "namespace(a=1)", "l|map('string')", "'x'|safe", "1.0", "[1.0, 2]", "d.missing", "{'b': 1}", "0.1", "'%s'", "['a', 'b']", "dict", "loop", "1e300", "-1", "3"]
NO_ARGUMENTS = "upper lower capitalize title swapcase casefold isalpha isdigit isdecimal isnumeric isalnum isspace isascii islower isupper istitle isidentifier isprintable strip lstrip rstrip split rsplit splitlines encode expandtabs".split()
ONE = {"strip": ["'a'", "'Hd '", "''", "none", "1"], "lstrip": ["'aH'", "' \\n'"], "rstrip": ["'dc'", "'\\n'"], "startswith": ["'H'", "('x', 'a')", "'', 3", "'a', 1", "'a', -3, -1", "['a']", "none"],
       "endswith": ["'d'", "('x', 'c')", "'', 99", "'b', 0, 2"], "find": ["'l'", "'b', 3", "''", "'', 99", "'z'", "'c', -2", "'n', 0, 3"], "rfind": ["'l'", "''", "'b', 0, 3"],
       "index": ["'l'", "'X'", "'', 3"], "rindex": ["'a'", "'c'"], "count": ["'a'", "''", "'b', 2", "'l', 0, 4"], "replace": ["'a', 'b'", "'', '-'", "'', '-', 2", "'a', '', 1", "'l', 'L', -1", "'a'", "'a', 'b', count=1"],
       "split": ["','", "'X', 1", "none, 1", "sep=','", "maxsplit=1", "''", "'b', 0", "' '"], "rsplit": ["','", "'X', 1", "none, 1", "'b', 0"], "splitlines": ["true", "keepends=true", "0"],
       "partition": ["','", "'X'", "''"], "rpartition": ["','", "'b'"], "join": ["['a', 'b']", "'xyz'", "[1]", "[]", "d", "range(3)", "k"], "removeprefix": ["'a'", "'Hel'", "''"], "removesuffix": ["'c'", "'rld'", "1"],
       "center": ["10", "11, '*'", "2", "10, 'ab'"], "ljust": ["8", "8, '.'"], "rjust": ["8", "8, '.'", "'8'"], "zfill": ["6", "2", "true"], "expandtabs": ["4", "tabsize=2", "0"],
       "format": ["1, 2", "a=1", "*l", "**d"], "encode": ["'utf-8'", "'ascii'", "'latin-1', 'replace'", "'x'"], "isdigit": ["1"], "upper": ["1"], "translate": ["{97: 'ä', 98: none}", "{'a': 'b'}"], "append": ["1"], "nope": [""]}
FILTERS = {"upper": [""], "lower": [""], "capitalize": [""], "title": [""], "trim": ["", "'H'", "chars='d'"], "replace": ["'a', 'b'", "'l', 1", "'', '-', 2", "'a'"], "length": [""], "count": [""],
           "list": [""], "first": [""], "last": [""], "reverse": ["", "0"], "string": [""], "int": ["", "5", "0, 16", "default=9", "base=2"], "float": ["", "1"], "abs": [""], "round": ["", "1", "-1", "1, 'ceil'", "0, 'floor'", "method='x'"],
           "default": ["", "'x'", "'x', true", "default_value=3"], "d": ["1"], "join": ["", "', '", "'-', attribute='name'", "d=1"], "tojson": ["", "indent=2", "4", "ensure_ascii=true", "separators=(',', ':')", "sort_keys=true", "indent='\\t'", "nope=1"],
           "sort": ["", "true", "reverse=true", "case_sensitive=true", "attribute='v'", "attribute='name,v'", "attribute='tags.0'"], "unique": ["", "true", "attribute='name'"], "min": ["", "attribute='v'", "case_sensitive=true"],
           "max": ["", "attribute='v'"], "sum": ["", "start=10", "attribute='v'", "'v', 1"], "map": ["'upper'", "attribute='name'", "attribute='tags.0', default='-'", "'default', 3", "", "'nope'", "attribute='v', x=1", "'int', base=16"],
           "select": ["", "'odd'", "'gt', 1", "'in', [1, 'a']", "'nope'"], "reject": ["", "'string'"], "selectattr": ["'v'", "'v', 'gt', 1", "'name', 'equalto', 'x'", "", "'tags', 'defined'"], "rejectattr": ["'v', 'eq', 1", "'tags'"],
           "groupby": ["'name'", "'v'", "'tags', default=0", "attribute='name', case_sensitive=true"], "dictsort": ["", "true", "by='value'", "reverse=true", "by='x'"], "items": [""], "batch": ["2", "2, 'x'", "0", "'a'"], "slice": ["2", "3, '-'", "0"],
           "attr": ["'upper'", "'items'", "'x'"], "indent": ["", "2", "2, true", "'> ', blank=true", "first=true"], "wordcount": [""], "truncate": ["5", "8, true", "8, false, '..', 0", "2"], "center": ["12", ""], "format": ["1", "a=1", "1, a=2"],
           "escape": [""], "e": [""], "forceescape": [""], "safe": [""], "striptags": [""], "urlencode": [""], "xmlattr": ["", "false"], "filesizeformat": ["", "true"], "wordwrap": ["5", "4, false", "6, wrapstring='|'"], "pprint": [""], "nope": [""], "random": ["1"]}
TESTS = {"defined": [""], "undefined": [""], "none": [""], "boolean": [""], "true": [""], "false": [""], "integer": [""], "float": [""], "number": [""], "string": [""], "mapping": [""], "iterable": [""], "sequence": [""], "callable": [""],
         "escaped": [""], "lower": [""], "upper": [""], "odd": [""], "even": [""], "divisibleby": [" 2", "(0)", ""], "sameas": [" none", " true", "(7)"], "in": [" 'abc'", "([1, 7, 'b'])", " d"], "eq": [" 7"], "==": [""], "gt": [" 1"], "lessthan": ["(3)"], "ne": [" 'x'"],
         "filter": [""], "test": [""], "nope": [""]}
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
FORMATS = ["%s", "%d", "%5d|", "%-5s|", "%05.1f", "%x", "%X", "%o", "%e", "%g", "%r", "%a", "%c", "%%", "%+d", "% d", "%#x", "%.3s", "%10.2e", "%i", "%5%", "%(a)s", "%s %s", "%", "%z", "%*d", "%.0f", "%G", "%u"]
SPECS = ["", ":>8", ":<8|", ":^9", ":*^9", ":05d", ":d", ":x", ":#x", ":b", ":o", ":c", ":,", ":_", ":.2f", ":10.3e", ":g", ":%", ":+", ": ", ":s", "!r", "!s", "!a", "!x", ":.3", ":=+8", ":08,.1f", ":n", ":E", ":é>7", ":{}", ":z.1f", ":#.3g", ":,.2f", ":020,", ":.1", ":.5"]
CHUNKS = ["a", " ", "\n", "\t", "{{ s }}", "{{- n }}", "{{ n -}}", "{% if t %}", "{%- if t %}", "{% if t -%}", "{%+ if t %}", "{% endif %}", "{%- endif -%}", "{% endif +%}", "{# c #}", "{#- c -#}", "{#+ c +#}", "{% set x = 1 %}", "{% raw %}", "{%- endraw %}", "{% endraw -%}", "\r\n", "{{+ n }}", "{% raw -%}", "}}", "%}"]
SLICES = ["[0]", "[-1]", "[99]", "['a']", "[1:]", "[:-1]", "[::-1]", "[::2]", "[-2:]", "[5:1:-2]", "[1:2]", "[::0]", "['x':]", "[none:2]", "[true]", "[1.0]", "[:99]", "[-99:2]", "[missing]", "[n:]", ".0", "[0,1]", "['items']", ".items", "[[1]]", "[:big]", "[-5:-1:3]", "[4::-1]"]
MEMBERS = "items keys values get copy index count real imag numerator is_integer bit_length append __class__ _x name grouper start stop step update conjugate format upper hex".split()
UNSTABLE = re.compile(r"0x[0-9a-f]{6}|transformers|trbnsformers|bound method|generator|generbtor|^\(.*j\)$", re.I)  # addresses, and complex numbers
STATEMENTS = Path(__file__).with_name("jinja_statements.txt")


def templates():
    out = []
    add = lambda expression: out.append("{{ " + expression + " }}")
    for text in TEXTS:
        for method in NO_ARGUMENTS:
            add(f"({text}).{method}()")
        for method, arguments in ONE.items():
            for argument in arguments:
                add(f"({text}).{method}({argument})")
    for value in VALUES + ["p", "html", "messages"]:
        for name, arguments in FILTERS.items():
            if name in ("wordcount", "length") and value.startswith(("dict", "l|map")):  # of an address
                continue
            for argument in arguments:
                lazy = name in ("map", "select", "reject", "selectattr", "rejectattr", "unique", "items", "batch", "slice", "reverse")
                add(f"({value})|{name}" + (f"({argument})" if argument else "") + ("|list" if lazy else ""))
        for name, arguments in TESTS.items():
            for argument in arguments:
                add(f"({value}) is {name}{argument}")
        for part in SLICES:
            add(f"({value}){part}")
        for member in MEMBERS:
            add(f"({value}).{member}")
            add(f"({value}).{member}()")
        for prefix in ["not ", "-", "+", "", "'x' ~ "]:
            add(f"{prefix}({value})")
        out.append("{% for x in " + value + " %}{{ x }}/{{ loop.index }}{{ ',' if not loop.last }}{% else %}none{% endfor %}")
        out.append("{% if " + value + " %}yes{% else %}no{% endif %}")
        out.append("{% for a, b in " + value + " %}{{ a }}={{ b }};{% endfor %}")
        for spec in SPECS:
            add(f"'{{{spec}}}'.format({value})")
        for spec in FORMATS:
            if "." in spec and value.startswith(("dict", "l|map")):  # of an address
                continue
            add(f"'{spec}' % ({value})")
    for left, right in itertools.product(VALUES, VALUES):
        for operator in OPERATORS:
            if operator == "**" and right == "big":  # does not end
                continue
            if operator == "-" and ("d." in left or "d." in right):  # a set, in any order
                continue
            add(f"({left}) {operator} ({right})")
    chooser = random.Random(25)
    for _ in range(3000):
        out.append("".join(chooser.choice(CHUNKS) for _ in range(chooser.randint(2, 9))))
    out += [line.replace("\\n", "\n") if line.startswith("!") is False else line[1:] for line in STATEMENTS.read_text(encoding="utf-8").splitlines() if line]
    return list(dict.fromkeys(out))


def answer(template):
    from transformers.utils.chat_template_utils import _cached_compile_jinja_template
    try:
        text = _cached_compile_jinja_template(template).render(**copy.deepcopy(VARIABLES))  # indent changes a list
    except Exception:
        return [template]
    return None if UNSTABLE.search(text) or len(text) > 5000 else [template, text]


if __name__ == "__main__":
    import sys
    every = templates()
    with multiprocessing.Pool(2) as pool:
        cases = [case for case in pool.map(answer, every, chunksize=200) if case]
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "chat" / "expressions.json.gz"
    data = json.dumps({"made_with": "transformers, jinja2", "variables": VARIABLES, "cases": cases}, ensure_ascii=True, separators=(",", ":")).encode()
    target.write_bytes(gzip.compress(data, 9, mtime=0))
    print(len(every), len(cases), sum(len(case) == 2 for case in cases), target.stat().st_size)
