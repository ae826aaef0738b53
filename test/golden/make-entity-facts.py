"""Records the entities that seqeval 1.2.2 finds in random tags of all schemes: python make-entity-facts.py > entity-facts.json

Needs seqeval on the path; `get_entities` is loaded from its file alone, which spares scikit-learn.
"""

import ast
import json
import pathlib
import random
import sys
import warnings

import importlib.util

root = pathlib.Path(importlib.util.find_spec("seqeval").submodule_search_locations[0])
source = (root / "metrics" / "sequence_labeling.py").read_text()
wanted = {"get_entities", "end_of_chunk", "start_of_chunk"}
tree = ast.parse(source)
tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
for node in tree.body:
    node.returns = None
    for argument in node.args.args:
        argument.annotation = None
scope = {"warnings": warnings}
exec(compile(tree, "sequence_labeling.py", "exec"), scope)

random.seed(1)
facts = []
schemes = [["O", "B", "I"], ["O", "I"], ["O", "B", "I", "E", "S"], ["O", "I", "E"]]
for case in range(200):
    marks = schemes[case % len(schemes)]
    tags = []
    for _ in range(random.randint(1, 12)):
        mark = random.choice(marks)
        tags.append("O" if mark == "O" else f"{mark}-{random.choice(['PER', 'LOC'])}")
    facts.append({"tags": tags, "entities": [list(entity) for entity in scope["get_entities"](tags)]})
json.dump(facts, sys.stdout)
