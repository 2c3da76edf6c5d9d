//! A JSON body with places for arguments: a string that is exactly `{parameter}` stands for the value itself.

use serde_json::{Map, Value};

use crate::Arguments;
use crate::template::Template;

/// The deepest body template.
const MAX_DEPTH: usize = 32;

/// A body, checked once.
#[derive(Debug, Clone)]
pub(crate) enum BodyTemplate {
    /// What is sent as it is declared.
    Literal(Value),
    /// The place of an argument.
    Argument(String),
    /// A list; an absent argument is left out.
    Array(Vec<BodyTemplate>),
    /// Members; one whose argument is absent is left out. Names are literal.
    Object(Vec<(String, BodyTemplate)>),
}

impl BodyTemplate {
    /// Checks `body`; `take` marks a parameter as used, or says that it does not exist.
    pub(crate) fn parse(
        body: &Value,
        take: &mut dyn FnMut(&str) -> Result<(), String>,
    ) -> Result<Self, String> {
        Self::parse_at(body, take, MAX_DEPTH)
    }

    fn parse_at(
        body: &Value,
        take: &mut dyn FnMut(&str) -> Result<(), String>,
        depth: usize,
    ) -> Result<Self, String> {
        let below =
            depth.checked_sub(1).ok_or_else(|| format!("it is nested deeper than {MAX_DEPTH} levels"))?;
        match body {
            Value::String(text) => {
                let template = Template::parse(text)?;
                if let Some(name) = template.alone() {
                    take(name)?;
                    return Ok(Self::Argument(name.to_owned()));
                }
                match template.parameters().next() {
                    None => Ok(Self::Literal(Value::String(template.literal()))),
                    Some(name) => Err(format!(
                        "`{{{name}}}` must be the whole string: a body binds values, it pastes no text"
                    )),
                }
            }
            Value::Array(items) => items
                .iter()
                .map(|item| Self::parse_at(item, take, below))
                .collect::<Result<_, _>>()
                .map(Self::Array),
            Value::Object(members) => {
                let member = |(name, member): (&String, &Value)| {
                    Ok((name.clone(), Self::parse_at(member, take, below)?))
                };
                members.iter().map(member).collect::<Result<_, String>>().map(Self::Object)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(Self::Literal(body.clone())),
        }
    }

    /// The body with its arguments in their places; `None` when all of it is one absent argument.
    pub(crate) fn bind(&self, args: &Arguments) -> Option<Value> {
        Some(match self {
            Self::Literal(value) => value.clone(),
            Self::Argument(name) => args.json.get(name)?.clone(),
            Self::Array(items) => items.iter().filter_map(|item| item.bind(args)).collect(),
            Self::Object(members) => {
                let bound =
                    members.iter().filter_map(|(name, member)| Some((name.clone(), member.bind(args)?)));
                Value::Object(bound.collect::<Map<_, _>>())
            }
        })
    }
}
