//! Which policies can apply, by their scopes: the authorizer looks at every policy that it is given.
//!
//! Three hash maps within each other, by principal, action and resource. A policy is found under each thing that its scope
//! names; a lookup asks for everything that the principal, the action and the resource are or are in. What is found is never
//! less than what can apply, and Cedar still evaluates each scope: an index that were too wide would cost time only.

use std::collections::HashMap;

use cedar_policy::{ActionConstraint, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};

/// What a scope asks of one variable: nothing, or that it is or is in this entity.
type Key = Option<EntityUid>;

/// Numbers of policies by scope.
#[derive(Debug, Default)]
pub(crate) struct Index(HashMap<Key, HashMap<Key, HashMap<Key, Vec<usize>>>>);

/// Everything that one variable of a question is or is in.
pub(crate) struct Place<'a> {
    pub(crate) uid: &'a EntityUid,
    pub(crate) parents: &'a [EntityUid],
}

impl Place<'_> {
    fn keys(&self) -> impl Iterator<Item = Key> {
        let named = std::iter::once(self.uid).chain(self.parents);
        std::iter::once(None).chain(named.cloned().map(Some))
    }

    fn is_in(&self, uid: &EntityUid) -> bool {
        self.uid == uid || self.parents.contains(uid)
    }
}

impl Index {
    /// Adds a policy under its number.
    pub(crate) fn add(&mut self, number: usize, policy: &Policy) {
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            PrincipalConstraint::Eq(uid)
            | PrincipalConstraint::In(uid)
            | PrincipalConstraint::IsIn(_, uid) => Some(uid),
        };
        let actions = match policy.action_constraint() {
            ActionConstraint::Any => vec![None],
            ActionConstraint::Eq(uid) => vec![Some(uid)],
            ActionConstraint::In(uids) => uids.into_iter().map(Some).collect(),
        };
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
            ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid) => {
                Some(uid)
            }
        };
        let by_action = self.0.entry(principal).or_default();
        for action in actions {
            let found = by_action.entry(action).or_default().entry(resource.clone()).or_default();
            if found.last() != Some(&number) {
                found.push(number);
            }
        }
    }

    /// The policies whose scopes can match, in the order of their numbers.
    pub(crate) fn candidates(
        &self,
        principal: &Place<'_>,
        action: &Place<'_>,
        resource: &Place<'_>,
    ) -> Vec<usize> {
        let actions: Vec<Key> = action.keys().collect();
        let resources: Vec<Key> = resource.keys().collect();
        let mut found: Vec<usize> = Vec::new();
        for by_action in principal.keys().filter_map(|key| self.0.get(&key)) {
            for by_resource in actions.iter().filter_map(|key| by_action.get(key)) {
                for numbers in resources.iter().filter_map(|key| by_resource.get(key)) {
                    found.extend(numbers);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Whether the policy's scope matches, exactly as Cedar has it.
pub(crate) fn scope_matches(
    policy: &Policy,
    principal: &Place<'_>,
    action: &Place<'_>,
    resource: &Place<'_>,
) -> bool {
    let principal = match policy.principal_constraint() {
        PrincipalConstraint::Any => true,
        PrincipalConstraint::Is(name) => principal.uid.type_name() == &name,
        PrincipalConstraint::Eq(uid) => principal.uid == &uid,
        PrincipalConstraint::In(uid) => principal.is_in(&uid),
        PrincipalConstraint::IsIn(name, uid) => principal.uid.type_name() == &name && principal.is_in(&uid),
    };
    let action = match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => action.uid == &uid,
        ActionConstraint::In(uids) => uids.iter().any(|uid| action.is_in(uid)),
    };
    let resource = match policy.resource_constraint() {
        ResourceConstraint::Any => true,
        ResourceConstraint::Is(name) => resource.uid.type_name() == &name,
        ResourceConstraint::Eq(uid) => resource.uid == &uid,
        ResourceConstraint::In(uid) => resource.is_in(&uid),
        ResourceConstraint::IsIn(name, uid) => resource.uid.type_name() == &name && resource.is_in(&uid),
    };
    principal && action && resource
}
