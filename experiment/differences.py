#!/usr/bin/env python3
"""A table of rows of an experiment's results, and of their differences from one row with 95 % intervals (bootstrap over windows, which both rows score). Standard library only.
usage: differences.py RESULTS BASE ROW..          RESULTS is the folder results of an experiment's output
A row is the mean of all its random seeds that are there; its name ends in how many these are, if more than one."""
import json, os, random, re, sys

RESAMPLES = 2000
COLUMNS = ['english', 'code', 'math', 'german', 'average', 'switching']

def slug(name): return re.sub('[^a-z0-9]+', '-', name.lower())

def read(folder, row):
    """For each domain, a list of (bits of each random seed's model, bytes) by window."""
    seeds = [''] + [f', random seed {n}' for n in range(1, 10)]
    found = [f'{folder}/{slug(row + seed)}/results.json' for seed in seeds]
    found = [json.load(open(file))['results'] for file in found if os.path.exists(file)]
    if not found: sys.exit(f'{folder} has no row {row}')
    windows = {}
    for domain in COLUMNS:
        if domain == 'average': continue
        scores = [next(each for each in one if each['task'] == domain and each['metric'] == 'bits_per_byte') for one in found]
        if len({each['items'] for each in scores}) != 1: sys.exit(f'{row}: random seeds with other windows of {domain}')
        windows[domain] = (scores[0]['items'], [(sum(bits) / len(scores), size) for bits, size in zip(zip(*(each['values'] for each in scores)), scores[0]['weights'])])
    return len(found), windows

def score(windows, draw=None):
    """Bits per byte in every column; of the drawn windows."""
    values = {}
    for domain, (_, items) in windows.items():
        drawn = items if draw is None else [items[i] for i in draw[domain]]
        values[domain] = sum(bits for bits, _ in drawn) / sum(size for _, size in drawn)
    values['average'] = sum(values[domain] for domain in COLUMNS[:4]) / 4
    return values

def main():
    folder, base, rows = sys.argv[1], sys.argv[2], sys.argv[3:]
    _, ours = read(folder, base)
    chance = random.Random(0)
    draws = [{domain: [chance.randrange(len(items)) for _ in items] for domain, (_, items) in ours.items()} for _ in range(RESAMPLES)]
    bases = [score(ours, draw) for draw in draws]
    print('| | ' + ' | '.join(COLUMNS) + ' |\n|---|' + '---:|' * len(COLUMNS))
    differences = []
    for row in [base] + rows:
        count, theirs = read(folder, row)
        name = row + (f' ({count})' if count > 1 else '')
        values = score(theirs)
        print(f'| {name} | ' + ' | '.join(f'{values[column]:.3f}' for column in COLUMNS) + ' |')
        if row == base: continue
        if any(theirs[domain][0] != ours[domain][0] for domain in ours): sys.exit(f'{row} and {base} scored other windows')
        drawn = [score(theirs, draw) for draw in draws]
        cells = []
        for column in COLUMNS:
            spread = sorted(one[column] - other[column] for one, other in zip(drawn, bases))
            cells.append(f'{values[column] - score(ours)[column]:+.3f} ({spread[RESAMPLES // 40]:+.3f} .. {spread[-RESAMPLES // 40 - 1]:+.3f})')
        differences.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    print(f'\n| less {base} | ' + ' | '.join(COLUMNS) + ' |\n|---|' + '---:|' * len(COLUMNS) + '\n' + '\n'.join(differences))

main()
