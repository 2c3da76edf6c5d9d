//! The entity types of the model, parsed once, and the entities that stand for a principal.

use std::str::FromStr;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, ParseErrors, RestrictedExpression};
use model::{Principal, Resource, ResourceKind, TargetName};

use crate::engine::Who;

/// A chain of principals longer than this is refused.
const MAX_CHAIN: usize = 16;

/// The entity types that policies are written against.
#[derive(Debug)]
pub(crate) struct Types {
    pub(crate) principal: EntityTypeName,
    pub(crate) group: EntityTypeName,
    pub(crate) role: EntityTypeName,
    pub(crate) claims: EntityTypeName,
    pub(crate) target: EntityTypeName,
    pub(crate) approval: EntityTypeName,
    pub(crate) class: EntityTypeName,
    pub(crate) action: EntityTypeName,
}

impl Types {
    pub(crate) fn new() -> Result<Self, Box<ParseErrors>> {
        Ok(Self {
            principal: EntityTypeName::from_str("Principal")?,
            group: EntityTypeName::from_str("Group")?,
            role: EntityTypeName::from_str("Role")?,
            claims: EntityTypeName::from_str("Claims")?,
            target: EntityTypeName::from_str("Target")?,
            approval: EntityTypeName::from_str("Approval")?,
            class: EntityTypeName::from_str("FieldClass")?,
            action: EntityTypeName::from_str("Action")?,
        })
    }

    /// The resource and, where it stands in its target, its parent.
    pub(crate) fn resource(&self, resource: &Resource, target: &TargetName) -> (EntityUid, Vec<EntityUid>) {
        match resource.kind {
            ResourceKind::Target => (uid(&self.target, &resource.id), Vec::new()),
            ResourceKind::Approval => {
                (uid(&self.approval, &resource.id), vec![uid(&self.target, target.as_str())])
            }
        }
    }

    /// The field class of a target, and its parents.
    pub(crate) fn class(&self, class: &str, target: &TargetName) -> (EntityUid, Vec<EntityUid>) {
        let parents = vec![uid(&self.class, class), uid(&self.target, target.as_str())];
        (uid(&self.class, &format!("{target}/{class}")), parents)
    }

    /// The principal with its chain, or what keeps it from being one.
    pub(crate) fn subject(&self, who: &Who) -> Result<Subject, &'static str> {
        let chain: Vec<&Principal> = who.principal.chain().take(MAX_CHAIN + 1).collect();
        if chain.len() > MAX_CHAIN {
            return Err("the chain of who acts for whom is too long");
        }
        let mut entities = Vec::with_capacity(2 * chain.len());
        let mut parents = Vec::new();
        for (index, principal) in chain.iter().enumerate() {
            if chain.iter().take(index).any(|before| before.key == principal.key) {
                return Err("a principal stands twice in the chain of who acts for whom");
            }
            let id = principal.key.to_string();
            let mut groups: Vec<_> =
                principal.groups.iter().map(|group| uid(&self.group, group.as_str())).collect();
            if index == 0 {
                groups.extend(who.roles.iter().map(|role| uid(&self.role, role)));
                parents.clone_from(&groups);
            }
            entities.push(self.principal(principal, &id, groups)?);
            let claims = principal.claims.iter();
            let claims =
                claims.map(|(name, text)| (name.clone(), RestrictedExpression::new_string(text.clone())));
            let claims = Entity::new_with_tags(uid(&self.claims, &id), [], [], claims);
            entities.push(claims.map_err(|_| "the principal's claims cannot be read")?);
        }
        Ok(Subject { uid: uid(&self.principal, &who.principal.key.to_string()), parents, entities })
    }

    fn principal(
        &self,
        principal: &Principal,
        id: &str,
        groups: Vec<EntityUid>,
    ) -> Result<Entity, &'static str> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let mut attributes = vec![
            ("issuer".to_owned(), text(principal.key.issuer.as_str())),
            ("subject".to_owned(), text(&principal.key.subject)),
            ("claims".to_owned(), RestrictedExpression::new_entity_uid(uid(&self.claims, id))),
        ];
        if let Some(actor) = &principal.actor {
            let actor = uid(&self.principal, &actor.key.to_string());
            attributes.push(("actor".to_owned(), RestrictedExpression::new_entity_uid(actor)));
        }
        let entity = Entity::new_with_tags(uid(&self.principal, id), attributes, groups, []);
        entity.map_err(|_| "the principal cannot be read")
    }
}

/// Who asks, as Cedar sees it.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) uid: EntityUid,
    /// Its groups and roles.
    pub(crate) parents: Vec<EntityUid>,
    /// Its chain and their claims.
    pub(crate) entities: Vec<Entity>,
}

/// The entity of this type with this id, which needs no escaping.
pub(crate) fn uid(type_name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}
