#!/usr/bin/env python3
"""Divides a corpus that corpus.py built among owners for owners.yaml: every document of code, mathematics and German is either its owner's or public, and for training or held out.
usage: owners.py CORPUS          writes CORPUS/owners/{english,code,math,german,public}.{train,val}.jsonl
public is all English text and one document in seven of each other domain: what a public model would be trained on. No owner's document is in it."""
import hashlib, json, os, sys

DOMAINS = {'english': 'english', 'code': 'code', 'math': 'math', 'german': 'lang2'}   # a domain's file in the corpus
PUBLIC, HELD_OUT, TRAINED_ON = 7, 12, 4                                                # one document in so many

corpus = sys.argv[1]
out = os.path.join(corpus, 'owners')
os.makedirs(out, exist_ok=True)
files, size = {}, {}
for domain, file in DOMAINS.items():
    for line in (line for split in ('train', 'val') for line in open(f'{corpus}/{file}.{split}.jsonl')):
        number = int(hashlib.sha256(json.loads(line)['text'].encode()).hexdigest()[-12:], 16)
        split = 'val' if number % HELD_OUT == 0 else 'train'
        shared = number // HELD_OUT % PUBLIC == 0
        if split == 'train' and number // HELD_OUT // PUBLIC % TRAINED_ON: continue            # small models do not read all of it
        for target in ['english', 'public'] if domain == 'english' else ['public' if shared else domain]:
            if (target, split) not in files: files[target, split] = open(f'{out}/{target}.{split}.jsonl', 'w')
            files[target, split].write(line)
            documents, length = size.get((domain, target, split), (0, 0))
            size[domain, target, split] = (documents + 1, length + len(line.encode()))
for (domain, target, split), (documents, length) in size.items():
    print(f'{domain:8s} in {target}.{split}: {documents:5d} documents, {length / 1e6:6.2f} MB')
for file in files.values(): file.close()
