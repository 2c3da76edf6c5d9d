//! The index against plain Cedar: over all policies at once, with every error a denial, both say the same for the same
//! reasons.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Context, Entities, EntityUid, Policy, PolicySet, Request};
use model::{Decision, Reason};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::fixture::{access, call, engine, record, request, who};

const SUBJECTS: [&str; 3] = ["alice", "bob", "staff"];
const GROUPS: [&str; 2] = ["dev/staff", "dev/ops"];

/// A policy of every form of scope, with conditions that hold, do not hold, or err for some principals.
fn policy_text() -> impl Strategy<Value = String> {
    let effect = select(vec!["permit", "permit", "forbid"]);
    let principal = select(vec![
        "principal",
        "principal is Principal",
        "principal == Principal::\"dev/alice\"",
        "principal == Principal::\"dev/bob\"",
        "principal in Principal::\"dev/bob\"",
        "principal in Group::\"dev/staff\"",
        "principal is Principal in Group::\"dev/ops\"",
        "principal in Role::\"administrator\"",
    ]);
    let action = select(vec![
        "action",
        "action == Action::\"http.get\"",
        "action == Action::\"calls.list\"",
        "action in Action::\"http\"",
        "action in Action::\"read\"",
        "action in [Action::\"write\", Action::\"http.get\"]",
        "action in [Action::\"admin\", Action::\"delete\"]",
    ]);
    let resource = select(vec![
        "resource",
        "resource",
        "resource is Target",
        "resource == Target::\"crm\"",
        "resource in Target::\"crm\"",
        "resource in Target::\"billing\"",
        "resource is Target in Target::\"countersign\"",
    ]);
    let condition = select(vec![
        "",
        "",
        "when { principal.subject == \"alice\" }",
        "unless { principal.claims.hasTag(\"team\") && principal.claims.getTag(\"team\") == \"blue\" }",
        "when { principal.subject == \"bob\" && 9223372036854775807 + 1 > 0 }",
        "unless { resource == Target::\"crm\" }",
    ]);
    (effect, principal, action, resource, condition)
        .prop_map(|(effect, p, a, r, condition)| format!("{effect} ({p}, {a}, {r}) {condition};"))
}

/// What plain Cedar says: whether it allows without any error, and by which policies.
fn plain(
    texts: &[String],
    subject: &str,
    groups: &[&str],
    admin: bool,
    action: &str,
    verb: &str,
    target: &str,
) -> (bool, BTreeSet<String>) {
    let policies = texts.iter().enumerate().map(|(index, text)| {
        Policy::parse(Some(cedar_policy::PolicyId::new(format!("p.cedar#{}", index + 1))), text).unwrap()
    });
    let policies = PolicySet::from_policies(policies).unwrap();
    let id = format!("dev/{subject}");
    let mut parents: Vec<_> = groups.iter().map(|group| json!({ "type": "Group", "id": group })).collect();
    if admin {
        parents.push(json!({ "type": "Role", "id": "administrator" }));
    }
    let group = if target == "countersign" { "countersign" } else { "http" };
    let entities = json!([
        { "uid": { "type": "Principal", "id": id }, "parents": parents, "attrs": {
            "issuer": "dev", "subject": subject, "claims": { "__entity": { "type": "Claims", "id": id } } } },
        { "uid": { "type": "Claims", "id": id }, "attrs": {}, "parents": [], "tags": { "team": "blue" } },
        { "uid": { "type": "Action", "id": action }, "attrs": {}, "parents": [
            { "type": "Action", "id": verb }, { "type": "Action", "id": group } ] },
    ]);
    let entities = Entities::from_json_value(entities, None).unwrap();
    let uid = |kind: &str, id: &str| -> EntityUid { format!("{kind}::{id:?}").parse().unwrap() };
    let request = Request::new(
        uid("Principal", &id),
        uid("Action", action),
        uid("Target", target),
        Context::empty(),
        None,
    )
    .unwrap();
    let response = Authorizer::new().is_authorized(&request, &policies, &entities);
    let by = response.diagnostics().reason().map(ToString::to_string).collect();
    let failed: BTreeSet<String> = response
        .diagnostics()
        .errors()
        .map(|cedar_policy::AuthorizationError::PolicyEvaluationError(error)| error.policy_id().to_string())
        .collect();
    if failed.is_empty() {
        (response.decision() == cedar_policy::Decision::Allow, by)
    } else {
        (false, failed)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_index_leaves_nothing_out(
        texts in prop::collection::vec(policy_text(), 1..25),
        subject in select(SUBJECTS.to_vec()),
        member in prop::collection::vec(select(GROUPS.to_vec()), 0..2),
        admin in any::<bool>(),
    ) {
        let texts: Vec<String> = texts.into_iter().filter(|text| applies_somewhere(text)).collect();
        let engine = engine(&texts.concat());
        let mut who = who(subject, &member);
        if admin {
            who.roles.insert("administrator".to_owned());
        }
        let member: BTreeSet<&str> = member.into_iter().collect();
        let member: Vec<&str> = member.into_iter().collect();
        for (target, action) in [("crm", "http.get"), ("crm", "http.post"), ("billing", "http.delete"), ("countersign", "calls.list")] {
            let asked = if target == "countersign" {
                call(target, vec![access(target, action)], record(&[]))
            } else {
                request(target, action, "/")
            };
            let verb = asked.accesses.as_slice()[0].verb.as_str();
            let (allowed, by) = plain(&texts, subject, &member, admin, action, verb, target);
            let decision = engine.decide(&who, &asked, None).unwrap();
            let (ours, reasons) = match decision {
                Decision::Allow { reasons, .. } => (true, reasons),
                Decision::Deny { reasons } => (false, reasons),
                Decision::Ask { .. } => panic!("nothing asks here"),
            };
            let reasons: BTreeSet<String> = reasons.into_iter().filter_map(|reason| match reason {
                Reason::Permit { policy } | Reason::Forbid { policy } | Reason::Error { policy: Some(policy), .. } => Some(policy.to_string()),
                Reason::NoPermit { .. } => None,
                Reason::Error { policy: None, detail } => panic!("{detail}"),
            }).collect();
            prop_assert_eq!((ours, reasons), (allowed, by), "{} {} {}", subject, action, target);
        }
    }
}

/// Whether the policy is one that loads: one that can apply to nothing is refused, as another test shows.
fn applies_somewhere(text: &str) -> bool {
    policy::Engine::compile(&crate::fixture::targets(), &[crate::fixture::file("p.cedar", text)]).is_ok()
}
