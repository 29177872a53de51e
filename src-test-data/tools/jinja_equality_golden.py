"""Writes bts-core/src/test/resources/jinja-equality-golden.json: what Python's Jinja (3.1.6 was used) finds equal and unequal among some values, written as literals and
held in variables; the first message's text is empty. Run: python3 jinja_equality_golden.py"""
import itertools, json
from pathlib import Path
import jinja2

VALUES = ["''", "'x'", "'1'", "true", "false", "0", "1", "1.0", "none", "[]", "messages[0].content"]

def main():
    cases = []
    for a, b in itertools.product(VALUES, VALUES):
        for template in ("{{ 'equal' if %s == %s }} {{ 'unequal' if %s != %s }}" % (a, b, a, b),
                         "{%% set a = %s %%}{%% set b = %s %%}{%% if a == b %%}equal{%% endif %%}{%% if a != b and not (a == b) %%} unequal{%% endif %%}" % (a, b)):
            cases.append({"template": template, "expected": jinja2.Template(template).render(messages=[{"role": "user", "content": ""}])})
    (Path(__file__).parents[2] / "bts-core/src/test/resources/jinja-equality-golden.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")

main()
