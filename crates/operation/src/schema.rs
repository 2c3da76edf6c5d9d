//! From a JSON Schema to a shape. Only what policies can see entirely is allowed: a keyword whose meaning is not known here
//! is refused at load, because a value that it lets through might be one that no policy could look at.

use std::collections::{BTreeMap, BTreeSet};

use model::{Field, Shape};
use serde_json::{Map, Value};

use crate::parameters::is_parameter_name;

/// The deepest nesting of objects.
const MAX_DEPTH: usize = 8;

/// The most properties of one object.
const MAX_PROPERTIES: usize = 64;

/// Keywords that only tell people something; `default` is one of them, for nothing is filled in.
const NOTES: [&str; 8] =
    ["title", "description", "examples", "default", "$comment", "deprecated", "readOnly", "writeOnly"];

/// An object with known members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// In the order in which they are declared.
    pub(crate) members: Vec<(String, Member)>,
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) kind: Kind,
    /// It must be given.
    pub(crate) required: bool,
    /// It may be null, which policies see as absent.
    pub(crate) nullable: bool,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Set(Scalar),
    Record(Object),
}

/// The type of a value without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Bool,
    Long,
    Decimal,
    Text,
}

impl Scalar {
    fn shape(self) -> Shape {
        match self {
            Self::Bool => Shape::Bool,
            Self::Long => Shape::Long,
            Self::Decimal => Shape::Decimal,
            Self::Text => Shape::String,
        }
    }
}

impl Object {
    pub(crate) fn get(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, member)| member)
    }

    /// Its attributes as policies see them: there always only if required and never null.
    pub(crate) fn shape(&self) -> BTreeMap<String, Field> {
        let field = |member: &Member| {
            let shape = match &member.kind {
                Kind::Scalar(scalar) => scalar.shape(),
                Kind::Set(scalar) => Shape::Set(Box::new(scalar.shape())),
                Kind::Record(object) => Shape::Record(object.shape()),
            };
            Field { shape, required: member.required && !member.nullable }
        };
        self.members.iter().map(|(name, member)| (name.clone(), field(member))).collect()
    }
}

/// Where in the declaration something is wrong, and what.
type Wrong = (String, String);

/// Reads the schema of all arguments.
pub(crate) fn read(schema: &Value) -> Result<Object, Wrong> {
    let at = "parameters";
    let keywords = keywords(at, schema)?;
    if let Some(dialect) = keywords.get("$schema")
        && dialect != "https://json-schema.org/draft/2020-12/schema"
    {
        return Err(wrong(at, "`$schema`: only draft 2020-12 is read"));
    }
    if keywords.get("type").is_some_and(|kind| kind != "object") {
        return Err(wrong(at, "the arguments of an operation are an object: `type` must be `object`"));
    }
    object(at, keywords, 0)
}

/// The same schema, closed: members that are not declared are not allowed, and say so to whoever reads the schema.
pub(crate) fn closed(mut schema: Value) -> Value {
    if let Some(keywords) = schema.as_object_mut() {
        keywords.entry("type").or_insert_with(|| "object".into());
        close(keywords);
    }
    schema
}

fn close(keywords: &mut Map<String, Value>) {
    let is_object = |kind: &Value| {
        kind == "object" || kind.as_array().is_some_and(|list| list.contains(&"object".into()))
    };
    if !keywords.get("type").is_some_and(is_object) {
        return;
    }
    keywords.entry("properties").or_insert_with(|| Map::new().into());
    keywords.insert("additionalProperties".to_owned(), false.into());
    let properties = keywords.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut).for_each(close);
}

fn object(at: &str, keywords: &Map<String, Value>, depth: usize) -> Result<Object, Wrong> {
    if depth > MAX_DEPTH {
        return Err(wrong(at, format!("objects are nested deeper than {MAX_DEPTH} levels")));
    }
    let top: &[&str] = if depth == 0 { &["$schema"] } else { &[] };
    only(at, keywords, &[&["type", "properties", "required", "additionalProperties"], top])?;
    if keywords.get("additionalProperties").is_some_and(|value| value != &Value::Bool(false)) {
        return Err(wrong(
            at,
            "`additionalProperties`: policies could not see members that are not declared",
        ));
    }
    let empty = Map::new();
    let properties = match keywords.get("properties") {
        None => &empty,
        Some(Value::Object(properties)) => properties,
        Some(_) => return Err(wrong(at, "`properties` must be an object")),
    };
    if properties.len() > MAX_PROPERTIES {
        return Err(wrong(at, format!("an object has more than {MAX_PROPERTIES} properties")));
    }
    let required = required(at, keywords, properties)?;
    let mut folded = BTreeSet::new();
    let mut members = Vec::with_capacity(properties.len());
    for (name, schema) in properties {
        let at = format!("{at}.properties.{name}");
        if !is_parameter_name(name) {
            return Err(wrong(
                &at,
                "a name is a letter or `_`, then letters, digits, `_` and `-`, at most 64 in all, and does not begin with `__`",
            ));
        }
        if !folded.insert(name.to_ascii_lowercase()) {
            return Err(wrong(&at, "another property differs from it only by case"));
        }
        members.push((name.clone(), member(&at, schema, required.contains(name.as_str()), depth)?));
    }
    Ok(Object { members })
}

fn required<'a>(
    at: &str,
    keywords: &'a Map<String, Value>,
    properties: &Map<String, Value>,
) -> Result<BTreeSet<&'a str>, Wrong> {
    let names = match keywords.get("required") {
        None => return Ok(BTreeSet::new()),
        Some(Value::Array(names)) => names,
        Some(_) => return Err(wrong(at, "`required` must be an array of names")),
    };
    let known = |name: &'a Value| match name.as_str() {
        Some(name) if properties.contains_key(name) => Ok(name),
        _ => Err(wrong(at, format!("`required` names {name}, which `properties` does not declare"))),
    };
    names.iter().map(known).collect()
}

fn member(at: &str, schema: &Value, required: bool, depth: usize) -> Result<Member, Wrong> {
    let keywords = keywords(at, schema)?;
    let (kind, nullable) = kind(at, keywords)?;
    let kind = match kind {
        "object" => Kind::Record(object(at, keywords, depth + 1)?),
        "array" => Kind::Set(items(at, keywords)?),
        other => Kind::Scalar(scalar(at, keywords, other)?),
    };
    Ok(Member { kind, required, nullable })
}

/// The one type, and whether null is allowed beside it.
fn kind<'a>(at: &str, keywords: &'a Map<String, Value>) -> Result<(&'a str, bool), Wrong> {
    let expected = "`type` must be one type, or an array of one type and `null`: policies could not compare anything else";
    match keywords.get("type") {
        Some(Value::String(kind)) => Ok((kind, false)),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            match kinds.as_slice() {
                [kind, "null"] | ["null", kind] if *kind != "null" => Ok((kind, true)),
                _ => Err(wrong(at, expected)),
            }
        }
        _ => Err(wrong(at, expected)),
    }
}

fn items(at: &str, keywords: &Map<String, Value>) -> Result<Scalar, Wrong> {
    only(at, keywords, &[&["type", "items", "minItems", "maxItems", "uniqueItems", "enum", "const"]])?;
    let at = format!("{at}.items");
    let items =
        keywords.get("items").ok_or_else(|| wrong(&at, "an array needs `items` with one scalar type"))?;
    let items = self::keywords(&at, items)?;
    match kind(&at, items)? {
        ("object" | "array", _) => {
            Err(wrong(&at, "an array of arrays or objects is nothing that policies can look into"))
        }
        (_, true) => Err(wrong(&at, "null within an array is nothing that policies can see")),
        (kind, false) => scalar(&at, items, kind),
    }
}

fn scalar(at: &str, keywords: &Map<String, Value>, kind: &str) -> Result<Scalar, Wrong> {
    const NUMERIC: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
    const TEXTUAL: &[&str] = &["minLength", "maxLength", "pattern", "format"];
    let (scalar, own): (_, &[&str]) = match kind {
        "boolean" => (Scalar::Bool, &[]),
        "integer" => (Scalar::Long, NUMERIC),
        "number" => (Scalar::Decimal, NUMERIC),
        "string" => (Scalar::Text, TEXTUAL),
        other => return Err(wrong(at, format!("`type`: `{other}` is nothing that policies can see"))),
    };
    only(at, keywords, &[&["type", "enum", "const"], own])?;
    if keywords.get("format").is_some_and(|format| format == "regex") {
        return Err(wrong(at, "`format`: `regex` would compile what callers write"));
    }
    Ok(scalar)
}

fn keywords<'a>(at: &str, schema: &'a Value) -> Result<&'a Map<String, Value>, Wrong> {
    schema.as_object().ok_or_else(|| wrong(at, "a schema is an object"))
}

/// Refuses every keyword that is neither a note nor in one of `known`.
fn only(at: &str, keywords: &Map<String, Value>, known: &[&[&str]]) -> Result<(), Wrong> {
    let is_known =
        |keyword: &str| NOTES.contains(&keyword) || known.iter().any(|list| list.contains(&keyword));
    match keywords.keys().find(|keyword| !is_known(keyword)) {
        None => Ok(()),
        Some(keyword) if keyword == "$ref" || keyword == "$defs" => {
            Err(wrong(at, format!("`{keyword}`: references are not followed, write the schema out")))
        }
        Some(keyword) => Err(wrong(
            at,
            format!("`{keyword}` is not supported here: policies could not see all that it lets through"),
        )),
    }
}

fn wrong(at: &str, reason: impl Into<String>) -> Wrong {
    (at.to_owned(), reason.into())
}
