//! Operations as a target declares them, and as they are called.

use std::collections::BTreeMap;

use model::{Access, ActionName, OperationName, Resource, TargetName, Verb};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Arguments, HttpTemplate, OperationError, Parameters, arguments};

/// The most operations that one target may declare.
const MAX_OPERATIONS: usize = 2_000;

/// The longest description and title, in bytes.
const MAX_DESCRIPTION: usize = 4_096;

/// One operation as the configuration writes it.
///
/// ```toml
/// [targets.payments.operations."refunds.create"]
/// description = "Pays a customer back."
/// method = "POST"
/// path = "/payments/{payment}/refunds"
/// body = { amount = "{amount}", reason = "{reason}" }
///
/// [targets.payments.operations."refunds.create".parameters]
/// required = ["payment", "amount"]
/// properties.payment = { type = "string", pattern = "^pay_[a-z0-9]{8}$" }
/// properties.amount = { type = "integer", minimum = 1 }
/// properties.reason = { type = "string", maxLength = 200 }
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawOperation {
    /// What it does, for people and for models that choose among tools.
    pub description: String,
    /// A name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// The JSON Schema (2020-12) of the arguments, an object's; without it there are none.
    #[serde(default)]
    pub parameters: Option<Value>,
    /// How strong it is; by default its method's: GET, HEAD and OPTIONS read, POST, PUT and PATCH write, DELETE delete.
    /// Any other method needs it.
    #[serde(default)]
    pub verb: Option<Verb>,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path, absolute, with `{parameter}` where an argument goes.
    pub path: String,
    /// Query parameters by name; a value is text with `{parameter}` in it.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers by name; a value is text with `{parameter}` in it.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The JSON body: every string that is exactly `{parameter}` stands for that argument's value.
    #[serde(default)]
    pub body: Option<Value>,
}

/// What runs when an operation is called.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Binding {
    /// An HTTP request.
    Http(HttpTemplate),
}

/// One named operation of one target.
#[derive(Debug, Clone)]
pub struct Operation {
    target: TargetName,
    name: OperationName,
    title: Option<String>,
    description: String,
    verb: Verb,
    parameters: Parameters,
    binding: Binding,
}

impl Operation {
    fn parse(target: &TargetName, name: OperationName, raw: RawOperation) -> Result<Self, OperationError> {
        let declared = |(key, reason): (String, String)| OperationError::Declared {
            target: target.clone(),
            operation: name.clone(),
            key,
            reason,
        };
        let texts = [("description", Some(&raw.description)), ("title", raw.title.as_ref())];
        for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text?))) {
            if text.trim().is_empty() || text.len() > MAX_DESCRIPTION {
                let reason = format!("say what the operation does, in at most {MAX_DESCRIPTION} bytes");
                return Err(declared((key.to_owned(), reason)));
            }
        }
        let parameters = Parameters::parse(raw.parameters.as_ref()).map_err(declared)?;
        let http = HttpTemplate::parse(&raw, &parameters).map_err(declared)?;
        let verb = raw.verb.or_else(|| http.default_verb()).ok_or_else(|| {
            let reason = format!("`{}` has no verb of its own: declare one, such as `execute`", raw.method);
            declared(("verb".to_owned(), reason))
        })?;
        Ok(Self {
            target: target.clone(),
            name: name.clone(),
            title: raw.title,
            description: raw.description,
            verb,
            parameters,
            binding: Binding::Http(http),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &OperationName {
        &self.name
    }

    /// What it does, as its owner says.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// How strong it is.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// What it may be called with.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What runs when it is called.
    #[must_use]
    pub fn binding(&self) -> &Binding {
        &self.binding
    }

    /// The one access that a call of it is: its own action on its target.
    #[must_use]
    pub fn access(&self) -> Access {
        Access {
            action: ActionName::operation(&self.target, &self.name),
            verb: self.verb,
            resource: Resource::target(&self.target),
        }
    }

    /// The operation as an MCP `Tool` (2026-07-28, `schema.ts`). Hints are the safe reading of what was declared: whatever
    /// is not a read may be destructive, and only methods that RFC 9110 section 9.2.2 calls idempotent are so.
    #[must_use]
    pub fn tool(&self) -> Value {
        let Binding::Http(http) = &self.binding;
        let mut tool = json!({
            "name": self.name.tool_name(),
            "description": self.description,
            "inputSchema": self.parameters.schema(),
            "annotations": {
                "readOnlyHint": !self.verb.has_effect(),
                "destructiveHint": self.verb.has_effect(),
                "idempotentHint": http.is_idempotent(),
            },
        });
        if let (Some(title), Some(members)) = (&self.title, tool.as_object_mut()) {
            members.insert("title".to_owned(), Value::String(title.clone()));
        }
        tool
    }

    /// The call in one line of at most 512 characters, for approvers and lists: `payments.refund(amount: 4120, card: "…")`.
    /// A value is shown whole or not at all, so that a mask applied to the line never meets half of one.
    #[must_use]
    pub fn sentence(&self, arguments: &Arguments) -> String {
        arguments::sentence(self.name.as_str(), &arguments.json)
    }
}

/// The operations of one target.
#[derive(Debug, Clone, Default)]
pub struct Operations(BTreeMap<OperationName, Operation>);

impl Operations {
    /// Reads what `target` declares.
    ///
    /// # Errors
    /// [`OperationError`] for the first declaration that cannot be used, with its key and the reason.
    pub fn parse(target: &TargetName, raw: BTreeMap<String, RawOperation>) -> Result<Self, OperationError> {
        if raw.len() > MAX_OPERATIONS {
            return Err(OperationError::TooMany {
                target: target.clone(),
                count: raw.len(),
                limit: MAX_OPERATIONS,
            });
        }
        let mut tools: BTreeMap<String, OperationName> = BTreeMap::new();
        let mut operations = BTreeMap::new();
        for (name, raw) in raw {
            let name = OperationName::parse(&name)
                .map_err(|source| OperationError::Name { target: target.clone(), source })?;
            if let Some(first) = tools.insert(name.tool_name(), name.clone()) {
                return Err(OperationError::SameTool {
                    target: target.clone(),
                    tool: name.tool_name(),
                    first,
                    second: name,
                });
            }
            operations.insert(name.clone(), Operation::parse(target, name, raw)?);
        }
        Ok(Self(operations))
    }

    /// The operation of this name.
    #[must_use]
    pub fn get(&self, name: &OperationName) -> Option<&Operation> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.0.values()
    }
}
