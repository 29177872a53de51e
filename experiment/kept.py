#!/usr/bin/env python3
"""What share of each expert's gain over the seed rows keep on its domain, and their difference from the seed on text that changes its domain, with 95 % intervals (bootstrap over windows,
which all rows score). Standard library only.
usage: kept.py RESULTS EXPERT,EXPERT.. ROW..          RESULTS is the folder results of an experiment's output; an expert has its domain's name"""
import json, random, re, sys

RESAMPLES = 2000
SWITCHING = 'switching'

def read(folder, row):
    results = json.load(open(f"{folder}/{re.sub('[^a-z0-9]+', '-', row.lower())}/results.json"))['results']
    return {each['task']: each for each in results if each['metric'] == 'bits_per_byte' and 'values' in each}

def bits(scores, draw):
    return sum(scores['values'][i] for i in draw) / sum(scores['weights'][i] for i in draw)

def interval(measure, draws):
    """Of all windows, and the bounds over the draws."""
    spread = sorted(measure(draw) for draw in draws[1:])
    return measure(draws[0]), spread[RESAMPLES // 40], spread[-RESAMPLES // 40 - 1]

def main():
    folder, experts, rows = sys.argv[1], sys.argv[2].split(','), sys.argv[3:]
    seed = read(folder, 'seed')
    best = {domain: read(folder, domain)[domain] for domain in experts}
    chance = random.Random(0)
    draws = {}
    for domain in experts + [SWITCHING]:
        count = len(seed[domain]['values'])
        draws[domain] = [range(count)] + [[chance.randrange(count) for _ in range(count)] for _ in range(RESAMPLES)]
    print('| | ' + ' | '.join(experts + [SWITCHING]) + ' |\n|---|' + '---:|' * (len(experts) + 1))
    for row in rows:
        ours = read(folder, row)
        if any(ours[domain]['items'] != seed[domain]['items'] for domain in draws): sys.exit(f'{row} and the seed scored other windows')
        cells = []
        for domain in experts:
            gain = lambda scores, draw: bits(seed[domain], draw) - bits(scores, draw)
            cells.append('%.0f %% (%.0f .. %.0f)' % interval(lambda draw: 100 * gain(ours[domain], draw) / gain(best[domain], draw), draws[domain]))
        cells.append('%+.3f (%+.3f .. %+.3f)' % interval(lambda draw: bits(ours[SWITCHING], draw) - bits(seed[SWITCHING], draw), draws[SWITCHING]))
        print(f'| {row} | ' + ' | '.join(cells) + ' |')

main()
