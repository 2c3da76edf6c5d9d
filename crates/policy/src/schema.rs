//! The schema of one target, as the JSON that Cedar reads six times faster than its own syntax.
//!
//! One schema a target: the validator walks every action for every policy, so that one schema for all would cost the
//! product of both.

use std::collections::{BTreeMap, BTreeSet};

use model::{Field, Shape, TargetName, Verb};
use serde_json::{Map, Value, json};

use crate::problem::Problem;
use crate::target::{ActionModel, READ_UNMASKED, TargetModel};

/// The attribute of every context that holds who has signed.
pub(crate) const APPROVAL: &str = "approval";

/// Deeper shapes are refused: what walks a shape or a value along it recurses.
const MAX_SHAPE_DEPTH: usize = 32;

/// The groups that actions of these targets are in.
pub(crate) fn action_groups(targets: &[TargetModel]) -> BTreeSet<&'static str> {
    let declared = targets.iter().flat_map(|target| target.actions.iter().map(|action| action.group));
    Verb::ALL.into_iter().map(Verb::as_str).chain(declared).collect()
}

/// What the configuration may not declare.
pub(crate) fn check(targets: &[TargetModel]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let groups = action_groups(targets);
    let mut names: BTreeSet<&TargetName> = BTreeSet::new();
    for target in targets {
        let mut wrong =
            |message: String| problems.push(Problem::of(&format!("target `{}`", target.name), message));
        if !names.insert(&target.name) {
            wrong("declared twice".to_owned());
        }
        let mut actions = BTreeSet::new();
        for action in &target.actions {
            let name = action.name.as_str();
            if !actions.insert(name) {
                wrong(format!("action `{name}` is declared twice"));
            }
            if name == READ_UNMASKED || groups.contains(name) {
                wrong(format!("action `{name}` has the name of a group or of `{READ_UNMASKED}`"));
            }
            if action.context.contains_key(APPROVAL) {
                wrong(format!("action `{name}`: `context.{APPROVAL}` is Countersign's own"));
            }
            if action.context.values().any(|field| is_deeper(&field.shape, MAX_SHAPE_DEPTH)) {
                wrong(format!("action `{name}`: its context is nested deeper than {MAX_SHAPE_DEPTH} levels"));
            }
        }
    }
    problems
}

fn is_deeper(shape: &Shape, than: usize) -> bool {
    match shape {
        _ if than == 0 => true,
        Shape::Bool | Shape::Long | Shape::Decimal | Shape::String => false,
        Shape::Set(element) | Shape::Tags(element) => is_deeper(element, than - 1),
        Shape::Record(fields) => fields.values().any(|field| is_deeper(&field.shape, than - 1)),
    }
}

/// The schema of `target`. `groups` are those of all targets, and `foreign` the actions of others that a policy may name:
/// declared so that it is not misspelt here, and applicable to nothing.
pub(crate) fn schema(
    target: &TargetModel,
    groups: &BTreeSet<&'static str>,
    foreign: &BTreeSet<String>,
) -> Value {
    let mut types = entity_types();
    let mut actions: Map<String, Value> = groups.iter().map(|&group| (group.to_owned(), json!({}))).collect();
    actions.extend(foreign.iter().map(|name| (name.clone(), json!({}))));
    for action in &target.actions {
        actions.insert(action.name.as_str().to_owned(), action_type(action, &mut types));
    }
    let read_unmasked = json!({ "appliesTo": {
        "principalTypes": ["Principal"], "resourceTypes": ["FieldClass"],
        "context": { "type": "Record", "attributes": {} },
    }});
    actions.insert(READ_UNMASKED.to_owned(), read_unmasked);
    json!({ "": { "entityTypes": types, "actions": actions } })
}

fn entity_types() -> BTreeMap<String, Value> {
    let principal = json!({
        "memberOfTypes": ["Group", "Role"],
        "shape": { "type": "Record", "attributes": {
            "issuer": { "type": "String" },
            "subject": { "type": "String" },
            "claims": { "type": "Entity", "name": "Claims" },
            "actor": { "type": "Entity", "name": "Principal", "required": false },
        }},
    });
    let types = [
        ("Principal", principal),
        ("Group", json!({})),
        ("Role", json!({})),
        ("Claims", json!({ "tags": { "type": "String" } })),
        ("Target", json!({})),
        ("Approval", json!({ "memberOfTypes": ["Target"] })),
        ("FieldClass", json!({ "memberOfTypes": ["FieldClass", "Target"] })),
    ];
    types.into_iter().map(|(name, declared)| (name.to_owned(), declared)).collect()
}

fn action_type(action: &ActionModel, types: &mut BTreeMap<String, Value>) -> Value {
    let mut context = attributes(&action.context, types);
    let signed = json!({ "type": "Record", "required": false, "attributes": {
        "groups": { "type": "Set", "element": { "type": "String" } },
    }});
    context.insert(APPROVAL.to_owned(), signed);
    json!({
        "memberOf": [{ "id": action.verb.as_str() }, { "id": action.group }],
        "appliesTo": {
            "principalTypes": ["Principal"],
            "resourceTypes": [action.resource.entity_type()],
            "context": { "type": "Record", "attributes": context },
        },
    })
}

fn attributes(fields: &BTreeMap<String, Field>, types: &mut BTreeMap<String, Value>) -> Map<String, Value> {
    let attribute = |(name, field): (&String, &Field)| {
        let mut declared = attribute_type(&field.shape, types);
        if let (false, Some(members)) = (field.required, declared.as_object_mut()) {
            members.insert("required".to_owned(), Value::Bool(false));
        }
        (name.clone(), declared)
    };
    fields.iter().map(attribute).collect()
}

fn attribute_type(shape: &Shape, types: &mut BTreeMap<String, Value>) -> Value {
    match shape {
        Shape::Bool => json!({ "type": "Boolean" }),
        Shape::Long => json!({ "type": "Long" }),
        Shape::Decimal => json!({ "type": "Extension", "name": "decimal" }),
        Shape::String => json!({ "type": "String" }),
        Shape::Set(element) => json!({ "type": "Set", "element": attribute_type(element, types) }),
        Shape::Record(fields) => json!({ "type": "Record", "attributes": attributes(fields, types) }),
        Shape::Tags(element) => {
            let name = tags_type(element);
            let declared = json!({ "tags": attribute_type(element, types) });
            types.insert(name.clone(), declared);
            json!({ "type": "Entity", "name": name })
        }
    }
}

/// The entity type of a map from unknown names to `element`: `StringTags`, `StringSetTags`. A record has no name, so its
/// type is called by a hash of its shape.
pub(crate) fn tags_type(element: &Shape) -> String {
    fn name(shape: &Shape) -> String {
        match shape {
            Shape::Bool => "Bool".to_owned(),
            Shape::Long => "Long".to_owned(),
            Shape::Decimal => "Decimal".to_owned(),
            Shape::String => "String".to_owned(),
            Shape::Set(element) => name(element) + "Set",
            Shape::Tags(element) => name(element) + "Tags",
            Shape::Record(fields) => {
                let [a, b, c, d, ..] = model::sha256(format!("{fields:?}").as_bytes());
                format!("Record{}", hex::encode([a, b, c, d]))
            }
        }
    }
    name(element) + "Tags"
}

#[cfg(test)]
mod tests {
    use model::{ActionName, ClassName, ResourceKind};

    use super::*;

    #[test]
    fn the_schema_of_a_target_is_what_policies_are_written_against() {
        let record = Shape::Record(BTreeMap::from([("a".to_owned(), Field::optional(Shape::Long))]));
        let tags = |shape: &Shape| Field::required(Shape::Tags(Box::new(shape.clone())));
        let args = BTreeMap::from([
            ("bool".to_owned(), Field::required(Shape::Bool)),
            ("decimal".to_owned(), Field::optional(Shape::Decimal)),
            ("set".to_owned(), Field::required(Shape::Set(Box::new(Shape::String)))),
            ("record".to_owned(), Field::optional(record.clone())),
            ("map".to_owned(), tags(&Shape::Set(Box::new(Shape::String)))),
            ("records".to_owned(), tags(&record)),
        ]);
        let target = TargetModel {
            name: "crm".parse().unwrap(),
            actions: vec![ActionModel {
                name: ActionName::builtin("crm:customers.read"),
                verb: Verb::Read,
                group: "operation",
                resource: ResourceKind::Target,
                context: BTreeMap::from([("args".to_owned(), Field::required(Shape::Record(args)))]),
            }],
            classes: vec![ClassName::parse("email").unwrap()],
        };
        let foreign = BTreeSet::from(["billing:invoices.read".to_owned()]);
        let json = schema(&target, &action_groups(std::slice::from_ref(&target)), &foreign);
        assert!(cedar_policy::Schema::from_json_value(json.clone()).is_ok());
        insta::assert_json_snapshot!("schema", json);
    }
}
