"""Writes src-test-data/chat/equality.json: what Python's Jinja (3.1.6 was used, on Python 3.11) makes of comparisons, of membership and of the
tests that are comparisons, among values written as literals and held in variables; the first message's text is empty, `missing` is undefined. Where it refuses a
template, the case has its error instead of its text. Run: python3 jinja_equality_golden.py"""
import itertools, json, re
from pathlib import Path
import jinja2

VALUES = ["''", "'x'", "'1'", "true", "false", "0", "1", "1.0", "none", "[]", "messages[0].content"]

COMPARED = ["''", "'1'", "true", "0", "1", "1.0", "none", "missing", "messages[0].missing", "[]", "[1]", "[1.0]", "[true, none]", "[1, 2]", "(1, 2)", "(true, 2.0)", "{}",
            "{'a': 1, 'b': [1]}", "{'b': [true], 'a': 1.0}", "{'a': 1, 'c': [1]}", "9007199254740993", "9007199254740992.0"]
ITEMS = ["''", "'x'", "'1'", "'role'", "true", "0", "1", "1.0", "none", "missing", "[]", "[1]", "(1, 2)", "{}", "messages[0].content"]
CONTAINERS = ["''", "'x1'", "[]", "[1, 'x', none]", "['1', 2]", "[[], [1.0], 0.0]", "[(true, 2), {}, '']", "(1, 2)", "{}", "{'x': 1, '1': none, '': 0}", "messages", "messages[0]",
              "messages[0].content", "messages[0].missing", "missing", "none", "1", "1.5", "true"]
EQUALITY = ["a == b", "a is ne(b)", "not a is not equalto(b)"]
MEMBERSHIP = ["a in b", "a not in b", "a is in(b)", "a is not in(b)", "not a in b"]

# an argument without parentheses, precedence, chains, filters that take a test's name
EXPRESSIONS = """
'1' is eq 1 | 1 is eq 1.0 | 1 is equalto true | 1 is ne '1' | '' is eq false | none is eq none | none is eq missing | missing is eq missing | missing is ne none
'a' is in 'cat' | 'a' is not in 'cat' | 1 is in [1.0] | '1' is in [1] | 'role' is in messages[0] | 1 is in missing | 1 is in none | 1 is in 'a1' | 1 is not in none
1 is eq 1 and 2 is eq 3 | 1 is eq 2 or 2 is eq 2 | 1 is eq 1 == true | 1 is eq 1 is true | 1 is not eq 1 is false | 'ab'~length is eq 2 | 'ab'~length is in [1, 2] | 'ab'~upper == 'AB'
[1, 2]~length == 2 and 'ab'~length in [2] | 1 is eq 1 in [true] | 1 is in [1] in [true] | not 1 is eq 1 | not 1 is in [2] | -1 is eq(-1) | 1 is eq -1 | 1 is eq - 1
1 is eq | 1 is ne | 1 is in | 1 is eq() | 1 is eq(1, 1) | 1 is in(1, 2) | 1 is in (1, 2) | 1 is in((1, 2)) | 1 is eq (1) | 'role' is in(messages[0]) | 'a' is in(['a'])
1 is == 1 | 1 is != 1 | 1 is not == 1 | 1 is < 2 | 1 eq 1 | 1 ne 1 | 1 == not 2 | 1 in not [1] | 1 not 1 | 1 is not | 1 is | 1 in | in [1] | not in [1] | 1 == | 1 is eq is eq
not 1 in [2] | not 1 in [1] | not 'a' in 'abc' | not not 1 in [1] | not 1 == 2 | not 0 == 0 | not 1 == 1 or true | not false and 1 in [1] | not missing in [none] | not missing in 'abc'
1 in [1] and 2 in [2] | 1 in [1] and 2 in [1] | 1 in [2] or 2 in [2] | 1 in [1] == true | (1 in [1]) == true | 1 in [1] == [1] | 1 not in [1] == [1] | 1 not in [2] != [1]
1 == 1 == 1 | 1 == 1 == 2 | 1 == 1.0 == true | 1 != 2 != 1 | 1 == 1 in [1] | 2 == 1 in none | 1 == 1 in none | 1 in [1] in [[1]] | 1 in [1] in [[2]] | 1 in [1] in [1] | 1 < 2 < 3
1 < 3 < 2 | 3 > 2 >= 2 == 2 | 1 <= 1 in [1] | 'a' in 'ab' in ['ab'] | 'a' not in 'bc' not in ['ab'] | 1 + 1 in [2] | 'a' + 'b' in 'cab' | 2 * 2 == 3 + 1 in [4] | 1 in [1] + [2]
false and 1 in none | true or 1 in none | true and 1 in none | (1 in none) or true | 1 in ('a' if false) | 1 in ([1] if true else none) | 1 in ([1] if false else none) | 1 in null
1 in missing.x | missing.x in [1] | missing.x == none | missing['x'] == 1 | messages[0].missing == none | messages[0]['missing'] in [none] | messages[0].missing.x == 1 | missing == none
messages[5] == none | messages[5] in [1] | none.x == none | none == none | tools == none | tools in [none] | 1 in tools | 'x' in tools | none in [none] | None in [1, none] | True in [1]
messages[0].role in ['user', 'system'] | messages[0]['role'] == 'user' and messages[0].content == '' | messages[0]['role'] not in ['user'] | messages[-1].role == 'user' | 'user' in messages[0].role
messages[0] == {'role': 'user', 'content': ''} | messages[0] in messages | [messages[0]] == messages | messages in [messages] | {'content': '', 'role': 'user'} in messages
'a' in {'a': none} | 'a' in {'b': 'a'} | 1 in {'1': 1} | (1, 2) in {} | (1, [2]) in {} | (1, (2, [])) in {'a': 1} | (1, (2, 3)) in {'a': 1} | (1, 2) in [(1, 2)] | [1, 2] in [(1, 2)] | {} in {'a': 1}
1 in range(3) | 3 in range(3) | '1' in range(3) | 1.0 in range(3) | 'abc'~upper in 'xABCx' | 'a' in 'abc'~upper | 'b' in 'a,b'.split(',') | 'a,b'.split(',') == ['a', 'b'] | 'a,b'.split(',') in {} | 'a,b'.split(',') in 'a' | 'a,b'.split(',')[-1] in 'b' | 'a,b'.split(',') in [['a', 'b']] | 'a b' in ['a b'~trim] | ' x '~trim == 'x' | 'ü😀' in 'aü😀b'
tools is defined | tools is undefined | tools is none | tools is not none | missing is defined | missing is not defined | missing is undefined | missing is none | missing is not none
messages is defined | messages[0].content is defined | messages[0].missing is defined | messages[0]['missing'] is none | messages[0].content is none | missing.x is defined | none is none | none is defined
tools is defined and tools is not none | tools is not defined or tools is none | not tools is defined | not missing is none | messages[5] is defined | [] is defined | '' is none | 0 is not none
[1, '1', 1.0, true]~select('eq', 1)~list~length == 3 | [1, '1', 1.0, true]~select('==', 1)~list~length == 3 | [1, '1', 2]~reject('equalto', '1')~list == [1, 2]
['1', 1, 2]~select('!=', 1)~list == ['1', 2] | ['1', 1, 2]~select('ne', '1')~list == [1, 2] | [1, '1', 3]~select('in', [1, 2])~list == [1] | [1, '1', 3]~reject('in', ['1'])~list == [1, 3]
messages~selectattr('role', 'equalto', 'user')~list~length == 1 | messages~selectattr('role', 'in', ['user'])~list == messages | messages~selectattr('content', '==', false)~list == []
messages~rejectattr('role', '==', 'user')~list == [] | messages~rejectattr('content', 'eq', 0)~list == messages | [1]~select('eq')~list == [] | ['a', 1]~select('in', 'abc')~list == ['a']
"""

TEMPLATES = ["{% for x in [1, '1', none, 1.0] %}{{ '1' if x in [1] else '0' }}{{ '1' if x is eq 1 else '0' }}{% endfor %}",
             "{% for m in messages %}{% if m.role in ['user'] and 'x' not in m.content %}{{ m.role }}{% endif %}{% endfor %}",
             "{% set ns = namespace(found=none, n=0) %}{{ 'a' if ns.found == none }}{% if ns.n == false and ns.missing != none %}yes{% endif %}",
             "{% set ns = namespace(a=1) %}{{ 'x' if 'a' in ns }}", "{% set ns = namespace(a=1) %}{{ 'x' if ns == ns }}{{ 'y' if ns == namespace(a=1) }}",
             "{% macro f(x) %}{{ 'yes' if x in [1, 2] else 'no' }}{% endmacro %}{{ f(1) }}{{ f('1') }}{{ f(2.0) }}", 
             "{% macro f(x, y=none) %}{{ 'a' if x == none }}{{ 'b' if y == none }}{{ 'c' if y in [none] }}{{ 'd' if x is eq none }}{% endmacro %}{{ f(none) }} {{ f(1, 2) }} {{ f(none, none) }}",
             "{% set ns = namespace(found=not 1 in [2], n=1 == 2, m=1 if 'a' in 'ab' else 2) %}{{ 'a' if ns.found == true }}{{ 'b' if ns.n == false }}{{ 'c' if ns.m is eq 1 }}",
             "{% set ns = namespace(x=none) %}{% set ns.x = none %}{{ 'a' if ns.x == none }}{% set ns.x = 'b' %}{{ ns.x if ns.x not in [none] }}",
             "{% if 'x' in messages[0].content %}a{% elif not messages[0].content in 'x' %}b{% else %}c{% endif %}",
             "{% set x = 1 in [1] %}{{ 'yes' if x == true and x is eq 1 }}", "{% set x = not 1 in [1] %}{{ 'yes' if x == 0 else 'no' }}", "{% if 'a' in 1 %}{% endif %}", "{% set x = 'a' in none %}",
             "{% for x in [1] %}{% if x in 'a' %}{% endif %}{% endfor %}", "{{ 'x' if not loop is defined and not missing is defined }}", "{{ 'x' if not messages | length == 2 }}"]

def case(template):
    try:
        return {"template": template, "expected": jinja2.Template(template).render(messages=[{"role": "user", "content": ""}], tools=None)}
    except (TypeError, jinja2.TemplateError) as e:
        return {"template": template, "error": type(e).__name__ + ": " + str(e)}

def conditional(expression):
    return case("{{ 'yes' if " + expression + " else 'no' }}")

def forms(templates, a, b):
    return [conditional(re.sub(r"\b[ab]\b", lambda name: {"a": a, "b": b}[name.group()], form)) for form in templates]

def main():
    cases = []
    for a, b in itertools.product(VALUES, VALUES):
        cases.append(case("{{ 'equal' if %s == %s }} {{ 'unequal' if %s != %s }}" % (a, b, a, b)))
        cases.append(case("{%% set a = %s %%}{%% set b = %s %%}{%% if a == b %%}equal{%% endif %%}{%% if a != b and not (a == b) %%} unequal{%% endif %%}" % (a, b)))
    for a, b in itertools.product(COMPARED, COMPARED):
        cases += forms(EQUALITY, a, b)
    for a, b in itertools.product(ITEMS, CONTAINERS):
        cases += forms(MEMBERSHIP, a, b)
        if "missing" not in a + b:
            cases.append(case("{%% set a = %s %%}{%% set b = %s %%}{%% if a in b %%}in{%% endif %%}{%% if a is not in b %%}not in{%% endif %%}" % (a, b)))
    cases += [conditional(expression.strip().replace("~", "|")) for line in EXPRESSIONS.strip().splitlines() for expression in line.split(" | ")]
    cases += [case(template) for template in TEMPLATES]
    text = "[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n"
    (Path(__file__).parents[2] / "src-test-data/chat/equality.json").write_text(text, encoding="utf-8")
    print(len(cases), "cases,", sum("error" in c for c in cases), "of them errors")

main()
