//! From a call's values to Cedar's, along the shape that the action declares, by hand.
//!
//! Cedar's own reading of JSON gives `__entity` and `__extn` a meaning, so that a caller could write an entity or an address
//! where policy expects text. Here a key is a key, and a value that does not fit its shape is refused, never absent.

use std::collections::BTreeMap;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression};
use model::{Field, Record, Shape, Value};

use crate::schema::tags_type;

/// A value of the call does not fit the shape that its action declares.
///
/// The protocol or the operation's schema should have refused it before; `at` names the attribute, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{at}` {problem}")]
pub struct NotUnderstood {
    /// The attribute: `context.args.amount`.
    pub at: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl NotUnderstood {
    fn here(problem: &'static str) -> Self {
        Self { at: String::new(), problem }
    }

    pub(crate) fn under(mut self, name: &str) -> Self {
        self.at = if self.at.is_empty() { name.to_owned() } else { format!("{name}.{}", self.at) };
        self
    }
}

/// A shape, made ready: the types that its maps become are parsed once.
#[derive(Debug)]
pub(crate) enum Kind {
    Bool,
    Long,
    Decimal,
    String,
    Set(Box<Kind>),
    Record(Fields),
    Tags(EntityTypeName, Box<Kind>),
}

/// Attributes by name, and whether each is always there.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, (Kind, bool)>);

impl Kind {
    fn of(shape: &Shape) -> Result<Self, Box<ParseErrors>> {
        Ok(match shape {
            Shape::Bool => Self::Bool,
            Shape::Long => Self::Long,
            Shape::Decimal => Self::Decimal,
            Shape::String => Self::String,
            Shape::Set(element) => Self::Set(Box::new(Self::of(element)?)),
            Shape::Record(fields) => Self::Record(Fields::of(fields)?),
            Shape::Tags(element) => Self::Tags(tags_type(element).parse()?, Box::new(Self::of(element)?)),
        })
    }

    fn convert(&self, value: &Value, maps: &mut Vec<Entity>) -> Result<RestrictedExpression, NotUnderstood> {
        Ok(match (self, value) {
            (Self::Bool, Value::Bool(value)) => RestrictedExpression::new_bool(*value),
            (Self::Long, Value::Long(value)) => RestrictedExpression::new_long(*value),
            (Self::Decimal, Value::Decimal(text)) => RestrictedExpression::new_decimal(decimal(text)?),
            (Self::String, Value::String(text)) => RestrictedExpression::new_string(text.clone()),
            (Self::Set(kind), Value::Set(values)) => {
                let values = values.iter().map(|value| kind.convert(value, maps));
                RestrictedExpression::new_set(values.collect::<Result<Vec<_>, _>>()?)
            }
            (Self::Record(fields), Value::Record(record)) => {
                let pairs = fields.convert(record, maps)?;
                RestrictedExpression::new_record(pairs)
                    .map_err(|_| NotUnderstood::here("names an attribute twice"))?
            }
            (Self::Tags(type_name, kind), Value::Tags(tags)) => tagged(type_name, kind, tags, maps)?,
            _ => return Err(NotUnderstood::here(self.expected())),
        })
    }

    fn expected(&self) -> &'static str {
        match self {
            Self::Bool => "is not true or false",
            Self::Long => "is not an integer",
            Self::Decimal => "is not a decimal",
            Self::String => "is not text",
            Self::Set(_) => "is not a set",
            Self::Record(_) => "is not a record",
            Self::Tags(..) => "is not a map",
        }
    }
}

impl Fields {
    /// The fields of a shape.
    pub(crate) fn of(fields: &BTreeMap<String, Field>) -> Result<Self, Box<ParseErrors>> {
        let ready =
            |(name, field): (&String, &Field)| Ok((name.clone(), (Kind::of(&field.shape)?, field.required)));
        fields.iter().map(ready).collect::<Result<_, Box<ParseErrors>>>().map(Self)
    }

    /// The attributes of `record`. What its maps become is added to `maps`.
    pub(crate) fn convert(
        &self,
        record: &Record,
        maps: &mut Vec<Entity>,
    ) -> Result<Vec<(String, RestrictedExpression)>, NotUnderstood> {
        let mut pairs = Vec::with_capacity(record.len() + 1);
        for (name, (kind, required)) in &self.0 {
            match record.get(name) {
                Some(value) => {
                    pairs.push((name.clone(), kind.convert(value, maps).map_err(|bad| bad.under(name))?))
                }
                None if *required => return Err(NotUnderstood::here("is missing").under(name)),
                None => {}
            }
        }
        if pairs.len() == record.len() {
            Ok(pairs)
        } else {
            Err(NotUnderstood::here("has an attribute that the action does not declare"))
        }
    }
}

/// A map becomes an entity of its own, whose id is its place among the maps of the call.
fn tagged(
    type_name: &EntityTypeName,
    kind: &Kind,
    tags: &Record,
    maps: &mut Vec<Entity>,
) -> Result<RestrictedExpression, NotUnderstood> {
    let mut pairs = Vec::with_capacity(tags.len());
    for (name, value) in tags {
        pairs.push((name.clone(), kind.convert(value, maps)?));
    }
    let uid = EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(maps.len().to_string()));
    let entity = Entity::new_with_tags(uid.clone(), [], [], pairs)
        .map_err(|_| NotUnderstood::here("holds a value that policy cannot read"))?;
    maps.push(entity);
    Ok(RestrictedExpression::new_entity_uid(uid))
}

/// The one spelling that Cedar reads: digits, a point, one to four digits, within 64 bits of ten-thousandths.
fn decimal(text: &str) -> Result<String, NotUnderstood> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(NotUnderstood::here("is not a decimal"));
    }
    if fraction.len() > 4 {
        return Err(NotUnderstood::here("has more than four digits after the point"));
    }
    let sign = if digits.len() < text.len() { "-" } else { "" };
    if format!("{sign}{whole}{fraction:0<4}").parse::<i64>().is_err() {
        return Err(NotUnderstood::here("is beyond the range of a decimal"));
    }
    Ok(format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, read) in
            [("12", "12.0"), ("-0.5", "-0.5"), ("922337203685477.5807", "922337203685477.5807")]
        {
            assert_eq!(decimal(text).unwrap(), read);
            assert!(
                cedar_policy::Context::from_pairs([("a".into(), RestrictedExpression::new_decimal(read))])
                    .is_ok()
            );
        }
        assert!(decimal("-922337203685477.5808").is_ok());
        for bad in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1.0",
            "1e3",
            "1.00000",
            "922337203685477.5808",
            "99999999999999999999",
            "1.0.0",
            "١.0",
            "NaN",
        ] {
            assert!(decimal(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_decimal_accepts_cedar_accepts() {
        proptest::proptest!(|(text in "-?[0-9]{1,17}(\\.[0-9]{1,4})?")| {
            if let Ok(read) = decimal(&text) {
                let pairs = [("a".to_owned(), RestrictedExpression::new_decimal(read))];
                proptest::prop_assert!(cedar_policy::Context::from_pairs(pairs).is_ok());
            }
        });
    }
}
