//! What is called: a target of the configuration, ready for calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use lease::{Credential, CredentialPlan};
use mask::{BadNeedle, FieldRule, Needles};
use model::{Access, ActionName, Address, ClassName, Field, Resource, ResourceKind, Shape, TargetName, Verb};
use operation::{Operation, Operations};
use policy::{ActionModel, TargetModel};

use crate::dial::Dialer;
use crate::pool::Pool;
use crate::protocol::{Protocol, ProtocolSettings};

/// The name of the target that is Countersign's own interface.
pub const OWN: &str = "countersign";

/// A target of the configuration.
pub struct Target {
    name: TargetName,
    reach: Reach,
    credential: CredentialPlan,
    fields: Vec<FieldRule>,
    operations: Operations,
    pool: Pool,
    needles: Mutex<Option<(u64, Arc<Needles>)>>,
}

enum Reach {
    /// Countersign's own interface, served in this process.
    Own(Vec<ActionModel>),
    /// Spoken to over a protocol.
    Remote { protocol: &'static dyn Protocol, settings: ProtocolSettings },
}

/// What a target is made from.
pub struct TargetParts {
    /// Its name.
    pub name: TargetName,
    /// How it is spoken to.
    pub protocol: &'static dyn Protocol,
    /// Its protocol's settings.
    pub settings: ProtocolSettings,
    /// How its credentials are issued.
    pub credential: CredentialPlan,
    /// Its classified fields.
    pub fields: Vec<FieldRule>,
    /// Its named operations.
    pub operations: Operations,
}

impl Target {
    pub(crate) fn remote(parts: TargetParts, workers: usize) -> Self {
        Self {
            name: parts.name,
            reach: Reach::Remote { protocol: parts.protocol, settings: parts.settings },
            credential: parts.credential,
            fields: parts.fields,
            operations: parts.operations,
            pool: Pool::new(workers),
            needles: Mutex::new(None),
        }
    }

    pub(crate) fn own(name: TargetName, actions: Vec<ActionModel>) -> Self {
        Self {
            name,
            reach: Reach::Own(actions),
            credential: CredentialPlan::none(),
            fields: Vec::new(),
            operations: Operations::default(),
            pool: Pool::new(1),
            needles: Mutex::new(None),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &TargetName {
        &self.name
    }

    /// Its named operations.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// The header that carries its credential, lower case: a caller may not send one of that name.
    #[must_use]
    pub fn credential_header(&self) -> Option<&str> {
        self.credential.header_name()
    }

    /// The query parameter that carries its credential: a caller may not send one of that name.
    #[must_use]
    pub fn credential_parameter(&self) -> Option<&str> {
        self.credential.query_name()
    }

    /// Its protocol, unless it is Countersign's own interface.
    #[must_use]
    pub fn protocol(&self) -> Option<&'static dyn Protocol> {
        match &self.reach {
            Reach::Own(_) => None,
            Reach::Remote { protocol, .. } => Some(*protocol),
        }
    }

    /// The settings that its protocol parsed, when they are of this type.
    #[must_use]
    pub fn settings<T: 'static>(&self) -> Option<&T> {
        match &self.reach {
            Reach::Own(_) => None,
            Reach::Remote { settings, .. } => settings.own.downcast_ref(),
        }
    }

    /// The one access of a named operation.
    #[must_use]
    pub fn operation_access(&self, operation: &Operation) -> Access {
        Access {
            action: ActionName::operation(&self.name, operation.name()),
            verb: operation.verb(),
            resource: Resource::target(&self.name),
        }
    }

    /// Where it is, unless it is Countersign's own interface.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.dialer().map(Dialer::address)
    }

    pub(crate) fn dialer(&self) -> Option<&Dialer> {
        match &self.reach {
            Reach::Own(_) => None,
            Reach::Remote { settings, .. } => Some(&settings.dialer),
        }
    }

    pub(crate) fn credential(&self) -> &CredentialPlan {
        &self.credential
    }

    pub(crate) fn fields(&self) -> &[FieldRule] {
        &self.fields
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What answers are searched for, made once as long as the secret stays the same.
    pub(crate) fn needles(&self, credential: &Credential) -> Result<Arc<Needles>, BadNeedle> {
        let make = || {
            let secrets = credential.needles();
            let secrets: Vec<&[u8]> = secrets.iter().map(model::Secret::expose).collect();
            Needles::new(&secrets).map(Arc::new)
        };
        let Some(version) = credential.version() else { return make() };
        let mut kept = self.needles.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, needles)) if *of == version => Ok(Arc::clone(needles)),
            _ => {
                let made = make()?;
                *kept = Some((version, Arc::clone(&made)));
                Ok(made)
            }
        }
    }

    /// The target as policies are validated against it.
    pub(crate) fn model(&self) -> TargetModel {
        let actions = match &self.reach {
            Reach::Own(actions) => actions.clone(),
            Reach::Remote { protocol, .. } => {
                let mut actions = protocol.actions();
                actions.extend(self.operations.iter().map(|operation| self.operation_model(operation)));
                actions
            }
        };
        let mut classes: Vec<ClassName> = Vec::new();
        if matches!(self.reach, Reach::Remote { .. }) {
            let detected = mask::detectors().iter().map(|detector| detector.class());
            let declared = self.fields.iter().map(|field| field.class.as_str());
            classes = detected.chain(declared).filter_map(|class| ClassName::parse(class).ok()).collect();
            classes.sort();
            classes.dedup();
        }
        TargetModel { name: self.name.clone(), actions, classes }
    }

    fn operation_model(&self, operation: &Operation) -> ActionModel {
        let arguments = Field::required(Shape::Record(operation.parameters().shape()));
        ActionModel {
            name: ActionName::operation(&self.name, operation.name()),
            verb: operation.verb(),
            group: "operation",
            resource: ResourceKind::Target,
            context: BTreeMap::from([("args".to_owned(), arguments)]),
        }
    }
}

/// An action of Countersign's own interface.
#[must_use]
pub fn own_action(name: &'static str, verb: Verb, resource: ResourceKind) -> ActionModel {
    ActionModel {
        name: ActionName::builtin(name),
        verb,
        group: "countersign",
        resource,
        context: BTreeMap::new(),
    }
}
