"""Checks every line of a file against the JSON schema of its class: ocsf.py FILE"""

import collections
import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.6.0"
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
validators = {}
checked = collections.Counter()
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        event = json.loads(line)
        assert event["metadata"]["version"] == VERSION, event["metadata"]
        name = schema.lookup_class_name_from_uid(event["class_uid"])
        if name not in validators:
            validators[name] = jsonschema.Draft202012Validator(schema.get_class_schema(name))
        faults = [f"{list(fault.path)}: {fault.message[:300]}" for fault in validators[name].iter_errors(event)]
        if faults:
            sys.exit(f"{name}: {faults}\n{line}")
        checked[name] += 1
assert len(checked) >= 4, checked
print(", ".join(f"{count} {name}" for name, count in sorted(checked.items())))
