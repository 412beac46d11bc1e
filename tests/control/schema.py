# SPDX-License-Identifier: MIT
"""The part of OpenAPI's schemas that docs/openapi.yaml uses: what in a value does
not fit, one sentence each."""
import re

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
         "number": (int, float)}
KNOWN = {"type", "nullable", "enum", "required", "properties", "items", "$ref", "allOf", "oneOf",
         "minimum", "maximum", "pattern", "description", "example"}


class Book:
    """An OpenAPI document that resolves its own references."""

    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part]
            node = target
        return node

    def judge(self, value, schema, where="body"):
        schema = self.resolve(schema)
        unknown = set(schema) - KNOWN
        if unknown:
            return [f"{where}: the schema says {sorted(unknown)}, which nothing here reads"]
        if value is None:
            return [] if schema.get("nullable") else [f"{where} is null"]
        problems = [p for part in schema.get("allOf", ()) for p in self.judge(value, part, where)]
        if "oneOf" in schema:
            fits = sum(not self.judge(value, part, where) for part in schema["oneOf"])
            problems += [] if fits == 1 else [f"{where}: {fits} of the alternatives fit {value!r}"]
        if "type" in schema:
            problems += self.judge_kind(value, schema, where)
        if "enum" in schema and value not in schema["enum"]:
            problems.append(f"{where} is {value!r}, none of {schema['enum']}")
        return problems

    def judge_kind(self, value, schema, where):
        kind = schema["type"]
        if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
            return [f"{where} is {value!r}, no {kind}"]
        if kind == "object":
            return self.judge_object(value, schema, where)
        if kind == "array":
            return [p for i, item in enumerate(value)
                    for p in self.judge(item, schema.get("items", {}), f"{where}[{i}]")]
        if kind == "string":
            fits = re.search(schema.get("pattern", ""), value)
            return [] if fits else [f"{where} is {value!r}, not of the form {schema['pattern']}"]
        if kind != "boolean":
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                return [f"{where} is {value}, out of range"]
        return []

    def judge_object(self, value, schema, where):
        problems = [f"{where}.{key} is missing" for key in schema.get("required", ())
                    if key not in value]
        for key, part in schema.get("properties", {}).items():
            if key in value:
                problems += self.judge(value[key], part, f"{where}.{key}")
        return problems
