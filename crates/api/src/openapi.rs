//! The OpenAPI document, from the same lines that route requests.

use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::invoke::CallRequest;
use crate::routes::{ROUTES, Route};

/// A body's type: its name, and every schema that it needs.
pub(crate) struct Described {
    name: String,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// No body.
pub(crate) fn nothing() -> Option<Described> {
    None
}

/// A body of this type.
pub(crate) fn body<T: ToSchema + PartialSchema>() -> Option<Described> {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    Some(Described { name: T::name().into_owned(), schemas })
}

/// The document, OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for route in ROUTES {
        let operation = operation(route, &mut schemas);
        insert(&mut paths, route.path, route.method, operation);
    }
    insert(&mut paths, "/v1/targets/{target}/calls", "POST", invocation(&mut schemas));
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The interface of a Countersign gateway. Every route is an action that policy must permit.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
        },
    })
}

fn insert(paths: &mut Map<String, Value>, path: &str, method: &str, operation: Value) {
    let entry = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
    if let Some(methods) = entry.as_object_mut() {
        methods.insert(method.to_lowercase(), operation);
    }
}

fn operation(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    let mut parameters: Vec<Value> = path_parameters(route.path);
    let query = |(name, summary): &(&str, &str)| json!({ "name": name, "in": "query", "required": false, "description": summary, "schema": { "type": "string" } });
    parameters.extend(route.query.iter().map(query));
    let mut operation = json!({
        "operationId": route.action,
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": answer(route, schemas),
            "default": problem_response(),
        },
        "x-action": route.action,
        "x-verb": route.verb,
    });
    if let Some(described) = (route.takes)() {
        set(&mut operation, "requestBody", request_body(described, schemas));
    }
    operation
}

fn invocation(schemas: &mut Map<String, Value>) -> Value {
    let mut parameters = path_parameters("/v1/targets/{target}/calls");
    parameters.push(json!({
        "name": "Prefer",
        "in": "header",
        "required": false,
        "description": "`wait=N`: seconds to wait for a signature; 30 by default.",
        "schema": { "type": "string" },
    }));
    let mut operation = json!({
        "operationId": "operation.call",
        "summary": "Call a named operation of the target. The answer is the target's own, masked.",
        "parameters": parameters,
        "responses": {
            "default": {
                "description": "The target's status and masked body, or a refusal as problem details.",
                "content": { "application/json": {}, "application/problem+json": { "schema": reference("Problem") } },
            },
        },
        "x-action": "the operation's own: `target:operation`",
    });
    if let Some(described) = body::<CallRequest>() {
        set(&mut operation, "requestBody", request_body(described, schemas));
    }
    operation
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn answer(route: &Route, schemas: &mut Map<String, Value>) -> Value {
    match (route.gives)() {
        Some(described) => {
            let schema = reference(&described.name);
            define(described, schemas);
            json!({ "description": "The answer.", "content": { "application/json": { "schema": schema } } })
        }
        None => json!({ "description": "The answer.", "content": { "text/plain": {} } }),
    }
}

fn request_body(described: Described, schemas: &mut Map<String, Value>) -> Value {
    let schema = reference(&described.name);
    define(described, schemas);
    json!({ "required": true, "content": { "application/json": { "schema": schema } } })
}

fn define(described: Described, schemas: &mut Map<String, Value>) {
    for (name, schema) in described.schemas {
        schemas.insert(name, serde_json::to_value(schema).unwrap_or(Value::Null));
    }
}

fn path_parameters(path: &str) -> Vec<Value> {
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    named
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn problem_response() -> Value {
    json!({
        "description": "A refusal.",
        "content": { "application/problem+json": { "schema": reference("Problem") } },
    })
}

/// RFC 9457, with the stable code and the call's id.
fn problem() -> Value {
    let codes: Vec<&str> = gate::model::RefusalKind::ALL.iter().map(|kind| kind.code()).collect();
    let codes: Vec<&str> = codes.into_iter().chain(["withheld", "failed", "not_found"]).collect();
    json!({
        "type": "object",
        "required": ["type", "title", "status", "code", "next"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string", "description": "One sentence for people." },
            "status": { "type": "integer" },
            "code": { "type": "string", "enum": codes, "description": "Stable, for programs." },
            "detail": { "type": "string" },
            "next": { "type": "string", "description": "What to do next." },
            "fault": { "type": "string", "enum": ["caller", "target", "gateway"] },
            "retryable": { "type": "boolean" },
            "call": { "type": "string", "format": "uuid" },
            "retry_after": { "type": "integer", "description": "Seconds." },
            "approval": {
                "type": "object",
                "properties": {
                    "id": { "type": "string", "format": "uuid" },
                    "url": { "type": "string" },
                    "expires": { "type": "string", "format": "date-time" },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_schema() {
        fn walk(value: &Value, names: &mut Vec<String>) {
            match value {
                Value::Object(members) => members.iter().for_each(|(name, member)| match member.as_str() {
                    Some(target) if name == "$ref" => names.push(target.to_owned()),
                    _ => walk(member, names),
                }),
                Value::Array(items) => items.iter().for_each(|item| walk(item, names)),
                _ => {}
            }
        }
        let document = document();
        let mut names = Vec::new();
        walk(&document, &mut names);
        assert!(names.len() > 10);
        for name in names {
            let pointer = name.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{name}");
        }
    }

    #[test]
    fn the_document_changes_only_in_review() {
        insta::assert_json_snapshot!(document());
    }
}
