//! Values that a caller chose to mislead: typed, never an abort, never wider.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Accesses, Decision, Reason, Resource, ResourceKind, Value};
use policy::Who;

use crate::fixture::{
    access, call, customer, decide, engine, name, payment, principal, record, request, who,
};

const PERMIT: &str = "permit (principal, action, resource);";

#[test]
fn a_forbid_that_errs_denies() {
    let text = [
        PERMIT,
        "@id(\"e\") forbid (principal, action == Action::\"crm:customers.read\", resource) when { context.args.id * 2 < 0 };",
    ];
    let engine = engine(&text.concat());
    assert_eq!(decide(&engine, &who("a", &[]), &customer(1)), "allow [p.cedar#1]");
    let denied = engine.decide(&who("a", &[]), &customer(i64::MAX), None).unwrap();
    let Decision::Deny { reasons } = denied else { panic!("an erring forbid was skipped") };
    let [Reason::Error { policy: Some(policy), detail }] = reasons.as_slice() else { panic!("{reasons:?}") };
    assert_eq!((policy.to_string().as_str(), detail.as_str()), ("p.cedar#e", "an integer overflows"));
    assert!(!detail.contains("9223372036854775807"), "Cedar's own words quote the operands");
}

#[test]
fn a_permit_that_errs_denies_though_another_applies() {
    let text = [
        PERMIT,
        "@id(\"e\") permit (principal, action == Action::\"crm:customers.read\", resource) when { context.args.id * 2 > 0 };",
    ];
    assert_eq!(
        decide(&engine(&text.concat()), &who("a", &[]), &customer(i64::MAX)),
        "deny [`p.cedar#e` failed: an integer overflows]"
    );
}

#[test]
fn keys_that_cedar_gives_a_meaning_in_json_are_only_keys() {
    let text = r#"
    permit (principal, action == Action::"crm:payments.create", resource)
    when { context.args has extra && context.args.extra.hasTag("__entity") && context.args.extra.getTag("__entity") == "x" };
    "#;
    let engine = engine(text);
    let extra = |key: &str| Value::Tags(record(&[(key, Value::text("x")), ("__extn", Value::text("y"))]));
    assert_eq!(
        decide(&engine, &who("a", &[]), &payment("5", &[("extra", extra("__entity"))])),
        "allow [p.cedar#1]"
    );
    assert!(decide(&engine, &who("a", &[]), &payment("5", &[("extra", extra("other"))])).starts_with("deny"));
    // Where text is expected, a record of that form is no entity but not understood.
    let entity =
        Value::Record(record(&[("type", Value::text("Role")), ("id", Value::text("administrator"))]));
    let disguised = Value::Record(record(&[("__entity", entity)]));
    let bad = engine.decide(&who("a", &[]), &payment("5", &[("to", disguised)]), None).unwrap_err();
    assert_eq!(bad.to_string(), "`context.args.to` is not text");
}

#[test]
fn a_value_of_another_type_is_not_understood_and_never_absent() {
    let engine = engine(PERMIT);
    let misfits: [(&str, Value, &str); 10] = [
        ("urgent", Value::text("true"), "`context.args.urgent` is not true or false"),
        ("labels", Value::text("a"), "`context.args.labels` is not a set"),
        ("labels", Value::Set(vec![Value::Long(1)]), "`context.args.labels` is not text"),
        ("address", Value::Tags(record(&[])), "`context.args.address` is not a record"),
        ("address", Value::Record(record(&[])), "`context.args.address.city` is missing"),
        ("extra", Value::Record(record(&[])), "`context.args.extra` is not a map"),
        ("unheard", Value::Bool(true), "`context.args` has an attribute that the action does not declare"),
        (
            "amount",
            Value::Decimal("1.00001".into()),
            "`context.args.amount` has more than four digits after the point",
        ),
        (
            "amount",
            Value::Decimal("922337203685477.5808".into()),
            "`context.args.amount` is beyond the range of a decimal",
        ),
        ("amount", Value::Long(5), "`context.args.amount` is not a decimal"),
    ];
    for (key, value, expected) in misfits {
        let bad = engine.decide(&who("a", &[]), &payment("5", &[(key, value)]), None).unwrap_err();
        assert_eq!(bad.to_string(), expected);
    }
    let mut without = customer(1);
    without.context.clear();
    assert_eq!(
        engine.decide(&who("a", &[]), &without, None).unwrap_err().to_string(),
        "`context.args` is missing"
    );
    let mut forged = customer(1);
    forged.context.insert(
        "approval".into(),
        Value::Record(record(&[("groups", Value::Set(vec![Value::text("dev/a")]))])),
    );
    let bad = engine.decide(&who("a", &[]), &forged, None).unwrap_err();
    assert_eq!(bad.to_string(), "`context` has an attribute that the action does not declare");
}

#[test]
fn huge_and_odd_values_are_decided_on() {
    let engine = engine(PERMIT);
    let huge = "\u{0}\u{202e}\"x\\".repeat(200_000);
    let labels = (0..10_000).map(|i| Value::text(format!("label {i}"))).collect();
    let tags = (0..2_000).map(|i| (format!("{i}\"::\u{0}"), Value::text("x"))).collect();
    let more = [("to", Value::text(huge)), ("labels", Value::Set(labels)), ("extra", Value::Tags(tags))];
    assert_eq!(decide(&engine, &who("a", &[]), &payment("5", &more)), "allow [p.cedar#1]");
    assert_eq!(
        decide(&engine, &who("a", &[]), &payment("5", &[("labels", Value::Set(Vec::new()))])),
        "allow [p.cedar#1]"
    );
}

#[test]
fn a_value_far_deeper_than_its_shape_is_refused_at_the_shapes_edge() {
    let mut deep = Value::text("x");
    for _ in 0..1_000 {
        deep = Value::Set(vec![deep]);
    }
    let bad = engine(PERMIT).decide(&who("a", &[]), &payment("5", &[("labels", deep)]), None).unwrap_err();
    assert_eq!(bad.to_string(), "`context.args.labels` is not text");
}

#[test]
fn subjects_that_look_like_others_are_only_themselves() {
    let engine = engine("permit (principal == Principal::\"dev/alice\", action, resource);");
    assert_eq!(decide(&engine, &who("alice", &[]), &customer(1)), "allow [p.cedar#1]");
    for subject in [
        "Alice",
        "alice ",
        "alice\u{0}",
        "dev/alice",
        "\"alice",
        "alice\\",
        "alice\" || true || \"",
        "*",
        "alic\u{435}",
    ] {
        assert!(decide(&engine, &who(subject, &[]), &customer(1)).starts_with("deny"), "{subject:?}");
    }
}

#[test]
fn a_call_of_undeclared_things_is_denied() {
    let engine = engine(PERMIT);
    let denied = |call: &model::Call| decide(&engine, &who("a", &[]), call);
    let mut elsewhere = customer(1);
    elsewhere.target = name("nowhere");
    assert_eq!(denied(&elsewhere), "deny [evaluation failed: the call's target is not declared]");
    let mut foreign = customer(1);
    foreign.target = name("billing");
    assert_eq!(denied(&foreign), "deny [evaluation failed: the call's action is not declared]");
    let mut other = customer(1);
    let mut moved = access("crm", "crm:customers.read");
    moved.resource = Resource::target(&name("billing"));
    other.accesses = Accesses::one(moved);
    assert_eq!(denied(&other), "deny [evaluation failed: the call's resource is not its target]");
    let mut weaker = payment("5", &[]);
    let mut read = access("crm", "crm:payments.create");
    read.verb = model::Verb::Read;
    weaker.accesses = Accesses::one(read);
    assert_eq!(
        denied(&weaker),
        "deny [evaluation failed: the call's action is declared with another verb or resource]"
    );
    let mut kind = access("crm", "crm:customers.read");
    kind.resource.kind = ResourceKind::Approval;
    let of_approval = call("crm", vec![kind], customer(1).context);
    assert_eq!(
        denied(&of_approval),
        "deny [evaluation failed: the call's action is declared with another verb or resource]"
    );
}

#[test]
fn a_chain_that_is_no_chain_is_denied() {
    let engine = engine(PERMIT);
    let mut twice = principal("alice", &[], &[]);
    twice.actor = Some(Arc::new(principal("alice", &["dev/staff"], &[])));
    let mut long = principal("p0", &[], &[]);
    for i in 1..40 {
        let actor = std::mem::replace(&mut long, principal(&format!("p{i}"), &[], &[]));
        long.actor = Some(Arc::new(actor));
    }
    for (principal, why) in [(twice, "twice"), (long, "too long")] {
        let who = Who { principal: Arc::new(principal), roles: BTreeSet::new() };
        let denied = decide(&engine, &who, &request("crm", "http.get", "/"));
        assert!(denied.starts_with("deny [evaluation failed") && denied.contains(why), "{denied}");
        assert!(!engine.may_list(&who, &name("crm"), &access("crm", "http.get").action));
        assert!(engine.lifted(&who, &name("crm")).classes.is_empty());
    }
}

#[test]
fn the_actors_groups_and_roles_are_not_the_principals() {
    let engine = engine(
        "permit (principal in Group::\"dev/agents\", action, resource); permit (principal in Role::\"administrator\", action, resource);",
    );
    let mut acted = principal("alice", &[], &[]);
    acted.actor = Some(Arc::new(principal("bot", &["dev/agents"], &[])));
    let through = Who { principal: Arc::new(acted), roles: BTreeSet::new() };
    assert!(decide(&engine, &through, &customer(1)).starts_with("deny [no policy"));
}
