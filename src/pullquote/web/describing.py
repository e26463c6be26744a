"""An OpenAPI document as rows for a page: operations by tag, and the fields of what is sent and received."""

from collections.abc import Iterator
from typing import Any

REF = "#/components/schemas/"


def describe(document: dict[str, Any], base: str) -> dict[str, Any]:
    """What the page `api.html` shows of a document whose paths stand under `base`."""
    operations = [
        {
            "method": method.upper(),
            "path": base + path,
            "summary": found.get("summary", ""),
            "about": found.get("description", ""),
            "secured": bool(found.get("security")),
            "takes": [*_parameters(found), *_body(found)],
            "gives": [*_gives(found)],
        }
        for path, methods in document["paths"].items()
        for method, found in methods.items()
    ]
    known = document.get("components", {}).get("schemas", {}) | dict(_inline(document))
    schemas = {
        name: {"about": found.get("description", ""), "fields": _fields(found)} for name, found in sorted(known.items())
    }
    return {"document": document, "base": base, "operations": operations, "schemas": schemas}


def type_of(schema: dict[str, Any]) -> str:
    """A schema's type in words: "list of Quote", "text or null"."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REF)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(map(type_of, schema[key])))
    if "enum" in schema or "const" in schema:
        return " or ".join(f"“{value}”" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})]
        return f"list of {type_of(items[0])}"
    return str(schema["title"] if "properties" in schema else schema.get("type", "anything"))


def _inline(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas with a name that stand where they are used."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from ((one["title"], one) for one in content["schema"].get("anyOf", ()) if "properties" in one)


def _fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, "type": type_of(found), "about": found.get("description", ""), "needed": name in required}
        for name, found in schema.get("properties", {}).items()
    ]


def _parameters(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for found in operation.get("parameters", []):
        about, place = found.get("description", ""), f"in the {found['in']}"
        yield {
            "name": found["name"],
            "type": type_of(found["schema"]),
            "about": ", ".join(filter(None, [place, about])),
        }


def _body(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for media, found in operation.get("requestBody", {}).get("content", {}).items():
        yield {"name": "body", "type": type_of(found.get("schema", {})), "about": media}


def _gives(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, found in operation["responses"].items():
        if status == "default":
            continue
        for media, content in found.get("content", {"": {}}).items():
            yield {"status": status, "type": type_of(content.get("schema", {})) if content else "", "media": media}
