//! `[targets.NAME]`: what every target has, and what its protocol reads.

use std::collections::BTreeMap;
use std::path::Path;

use gate::TargetParts;
use gate::lease::{CredentialPlan, RawCredential};
use gate::mask::{FieldRule, Pointer, Replace};
use gate::model::{ClassName, TargetName};
use gate::operation::{Operations, RawOperation};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::place::{ConfigError, Document};
use crate::protocols;

/// One of `[[targets.NAME.fields]]`: a classified field of its JSON answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    /// JSON pointer; `*` stands for any member or element.
    pointer: String,
    /// The class, which policies name `FieldClass::"TARGET/CLASS"`.
    class: String,
    /// `redact` (default) or `last-four`.
    mask: Option<String>,
}

/// Parses one target. The keys that are not read here are its protocol's.
pub(super) fn parse(
    name: &str,
    mut table: toml::Table,
    folder: &Path,
    document: &Document,
) -> Result<TargetParts, ConfigError> {
    let at = |key: &str, message: &str| document.wrong(&["targets", name, key], message);
    let target = TargetName::parse(name).map_err(|error| at("", &error.to_string()))?;
    if target.as_str() == gate::OWN {
        return Err(at("", "this name is Countersign's own interface: choose another"));
    }
    let protocol: String = take(&mut table, "protocol", |message| at("protocol", message))?
        .ok_or_else(|| at("", "`protocol` is missing: write `protocol = \"http\"`"))?;
    let protocol = protocols::find(&protocol).ok_or_else(|| {
        let known: Vec<&str> = protocols::PROTOCOLS.iter().map(|protocol| protocol.name()).collect();
        at("protocol", &format!("there is no such protocol; there is {}", known.join(", ")))
    })?;
    let credential =
        match take::<RawCredential>(&mut table, "credential", |message| at("credential", message))? {
            Some(raw) => CredentialPlan::parse(&raw).map_err(|error| at("credential", &error.to_string()))?,
            None => CredentialPlan::none(),
        };
    let raw: Vec<RawField> = take(&mut table, "fields", |message| at("fields", message))?.unwrap_or_default();
    let fields =
        raw.into_iter().map(|raw| field(raw, |message| at("fields", message))).collect::<Result<_, _>>()?;
    let raw: BTreeMap<String, RawOperation> =
        take(&mut table, "operations", |message| at("operations", message))?.unwrap_or_default();
    let operations = Operations::parse(&target, raw).map_err(|error| at("operations", &error.to_string()))?;
    let settings = protocol.settings(table, folder).map_err(|error| at(&error.key, &error.message))?;
    Ok(TargetParts { name: target, protocol, settings, credential, fields, operations })
}

/// Takes a key out of the table and reads it.
fn take<T: DeserializeOwned>(
    table: &mut toml::Table,
    key: &str,
    wrong: impl Fn(&str) -> ConfigError,
) -> Result<Option<T>, ConfigError> {
    let Some(value) = table.remove(key) else { return Ok(None) };
    value.try_into().map(Some).map_err(|error: toml::de::Error| wrong(error.message()))
}

fn field(raw: RawField, wrong: impl Fn(&str) -> ConfigError) -> Result<FieldRule, ConfigError> {
    let pointer = Pointer::parse(&raw.pointer).map_err(|error| wrong(&error.to_string()))?;
    let class = ClassName::parse(&raw.class).map_err(|error| wrong(&error.to_string()))?;
    let replace = match raw.mask.as_deref() {
        None | Some("redact") => Replace::Redact,
        Some("last-four") => Replace::KeepLastFour,
        Some(_) => return Err(wrong("`mask` is `redact` or `last-four`")),
    };
    Ok(FieldRule { pointer, class: class.as_str().to_owned(), replace })
}
