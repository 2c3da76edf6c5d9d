//! A table of decisions, what permits demand, what may be listed and what may be seen as it is.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use model::{ActionName, Decision, PolicyId, RecordLevel, Resource, ResourceKind, Value};
use policy::{Engine, SHIPPED_FILE, shipped};

use crate::fixture::{
    access, call, customer, decide, engine, file, groups, line, name, payment, principal, record, request,
    targets, who,
};

const POLICIES: &str = r#"
@id("staff-read")
permit (principal in Group::"dev/staff", action in Action::"read", resource in Target::"crm");

@id("no-admin-pages")
forbid (principal, action in Action::"http", resource)
when { context.path like "/admin/*" };

@id("search")
permit (principal == Principal::"dev/searcher", action == Action::"http.get", resource == Target::"crm")
when { context.query.hasTag("q") && context.query.getTag("q").contains("b") };

@id("small-payments")
permit (principal in Group::"dev/payers", action == Action::"crm:payments.create", resource)
when { context.args.amount.lessThan(decimal("100.0")) && !(context.args has urgent && context.args.urgent) };

@id("one-customer")
permit (principal, action in Action::"operation", resource in Target::"crm")
when { principal.claims.hasTag("team") && principal.claims.getTag("team") == "red" && context.args has id && context.args.id == 7 };

@id("agents")
forbid (principal, action in Action::"write", resource)
when { principal has actor && principal.actor in Group::"dev/agents" };
"#;

#[test]
fn each_call_is_decided_as_the_table_says() {
    let engine = engine(POLICIES);
    let staff = who("alice", &["dev/staff"]);
    let nobody = who("mallory", &[]);
    let payer = who("bob", &["dev/payers"]);
    let searcher = who("searcher", &[]);
    let mut red = who("red", &[]);
    red.principal = Arc::new(principal("red", &[], &[("team", "red")]));
    let mut through_agent = payer.clone();
    let mut acted = principal("bob", &["dev/payers"], &[]);
    acted.actor = Some(Arc::new(principal("bot", &["dev/agents"], &[])));
    through_agent.principal = Arc::new(acted);

    let none =
        |action: &str, target: &str| format!("deny [no policy permits `{action}` on `Target::\"{target}\"`]");
    let table = [
        (&staff, request("crm", "http.get", "/customers"), "allow [p.cedar#staff-read]".to_owned()),
        (&staff, customer(1), "allow [p.cedar#staff-read]".to_owned()),
        (&staff, request("crm", "http.get", "/admin/users"), "deny [p.cedar#no-admin-pages]".to_owned()),
        (&staff, request("crm", "http.post", "/customers"), none("http.post", "crm")),
        (&staff, request("billing", "http.get", "/"), none("http.get", "billing")),
        (&nobody, request("crm", "http.get", "/customers"), none("http.get", "crm")),
        (&nobody, request("crm", "http.get", "/admin/users"), "deny [p.cedar#no-admin-pages]".to_owned()),
        (&searcher, request("crm", "http.get", "/find"), "allow [p.cedar#search]".to_owned()),
        (&payer, payment("99.9999", &[]), "allow [p.cedar#small-payments]".to_owned()),
        (
            &payer,
            payment("-1", &[("urgent", Value::Bool(false))]),
            "allow [p.cedar#small-payments]".to_owned(),
        ),
        (&payer, payment("100", &[]), none("crm:payments.create", "crm")),
        (&payer, payment("5", &[("urgent", Value::Bool(true))]), none("crm:payments.create", "crm")),
        (&through_agent, payment("5", &[]), "deny [p.cedar#agents]".to_owned()),
        (&red, customer(7), "allow [p.cedar#one-customer]".to_owned()),
        (&red, customer(8), none("crm:customers.read", "crm")),
        (&red, payment("5", &[]), none("crm:payments.create", "crm")),
    ];
    for (index, (who, call, expected)) in table.into_iter().enumerate() {
        assert_eq!(decide(&engine, who, &call), expected, "row {index}");
    }
}

#[test]
fn a_call_is_allowed_only_if_each_access_is() {
    let engine = engine(POLICIES);
    let staff = who("alice", &["dev/staff"]);
    let both = |first: &str, second: &str| {
        call(
            "crm",
            vec![access("crm", first), access("crm", second)],
            request("crm", "http.get", "/x").context,
        )
    };
    assert_eq!(decide(&engine, &staff, &both("http.get", "http.get")), "allow [p.cedar#staff-read]");
    for (first, second) in [("http.get", "http.post"), ("http.post", "http.get")] {
        let expected = "deny [no policy permits `http.post` on `Target::\"crm\"`]";
        assert_eq!(decide(&engine, &staff, &both(first, second)), expected);
    }
}

#[test]
fn without_policies_everything_is_denied() {
    let expected = "deny [no policy permits `http.get` on `Target::\"crm\"`]";
    assert_eq!(
        decide(&engine(""), &who("alice", &["dev/staff"]), &request("crm", "http.get", "/")),
        expected
    );
}

#[test]
fn what_permits_demand_is_merged_strictest_first() {
    let engine = engine(
        r#"
        @id("long") @ttl("10m") @rate("100/hour") permit (principal, action in Action::"read", resource);
        @id("short") @ttl("30s") @rate("10/minute") permit (principal, action == Action::"http.get", resource);
        @id("full") @record("full") permit (principal, action == Action::"http.post", resource);
        @id("plain") permit (principal, action, resource);
        @id("other") @ttl("1s") permit (principal, action == Action::"crm:customers.read", resource);
        "#,
    );
    let accesses = vec![access("crm", "http.get"), access("crm", "http.post")];
    let call = call("crm", accesses, request("crm", "http.get", "/").context);
    let decision = engine.decide(&who("alice", &[]), &call, None).unwrap();
    assert_eq!(line(&decision), "allow [p.cedar#full, p.cedar#long, p.cedar#plain, p.cedar#short]");
    let Decision::Allow { obligations, .. } = decision else { panic!("{decision:?}") };
    assert_eq!(obligations.ttl.unwrap().secs(), 30);
    assert_eq!(obligations.record, RecordLevel::Full);
    let rates: Vec<_> = obligations
        .rates
        .into_iter()
        .map(|rate| (rate.policy, rate.calls.get(), rate.per.as_secs()))
        .collect();
    let id = |text: &str| PolicyId(text.into());
    assert_eq!(rates, [(id("p.cedar#long"), 100, 3_600), (id("p.cedar#short"), 10, 60)]);
    assert_eq!(Duration::from_secs(60).as_secs(), u64::from(NonZeroU32::new(60).unwrap().get()));
}

#[test]
fn ids_are_the_file_and_the_given_name_or_the_place() {
    let engine = engine(
        "@id(\"a\") permit(principal, action, resource); // one\npermit(principal, action, resource);",
    );
    assert_eq!(decide(&engine, &who("alice", &[]), &customer(1)), "allow [p.cedar#2, p.cedar#a]");
}

#[test]
fn the_shipped_policies_let_administrators_in_and_anybody_redeem() {
    let engine = Engine::compile(&targets(), &[file(SHIPPED_FILE, shipped())]).unwrap();
    let mut admin = who("root", &[]);
    admin.roles.insert("administrator".to_owned());
    let mut namesake = who("administrator", &["dev/administrator"]);
    namesake.roles.insert("auditor".to_owned());
    let own = |action: &str| call("countersign", vec![access("countersign", action)], record(&[]));
    let mut sign = own("approval.sign");
    let mut of_approval = access("countersign", "approval.sign");
    of_approval.resource =
        Resource { kind: ResourceKind::Approval, id: "0198c5a0-0000-4000-8000-000000000000".into() };
    sign.accesses = model::Accesses::one(of_approval);

    assert_eq!(decide(&engine, &admin, &own("calls.list")), "allow [countersign.cedar#administrators]");
    assert_eq!(decide(&engine, &admin, &sign), "allow [countersign.cedar#administrators]");
    assert!(
        decide(&engine, &admin, &customer(1)).starts_with("deny [no policy"),
        "no bypass for other targets"
    );
    assert_eq!(decide(&engine, &namesake, &own("setup.redeem")), "allow [countersign.cedar#redeem]");
    assert!(decide(&engine, &namesake, &own("calls.list")).starts_with("deny [no policy"));
    assert!(decide(&engine, &namesake, &sign).contains("Approval::"));
}

#[test]
fn a_class_is_masked_unless_a_policy_says_read_unmasked() {
    let engine = engine(
        r#"
        permit (principal in Group::"dev/support", action == Action::"readUnmasked", resource in FieldClass::"email");
        permit (principal in Group::"dev/crm", action == Action::"readUnmasked", resource in Target::"crm");
        permit (principal in Group::"dev/readers", action in Action::"read", resource);
        forbid (principal == Principal::"dev/eve", action == Action::"readUnmasked", resource == FieldClass::"crm/card");
        @approve("dev/a") forbid (principal == Principal::"dev/carl", action, resource)
        unless { context has approval && context.approval.groups.contains("dev/a") };
        "#,
    );
    let lifted = |subject: &str, group: &str, target: &str| {
        let lifted = engine.lifted(&who(subject, &[group]), &name(target));
        (lifted.classes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), lifted.all)
    };
    assert_eq!(lifted("alice", "dev/support", "crm"), ("email".into(), false));
    assert_eq!(lifted("alice", "dev/support", "billing"), ("email".into(), true));
    assert_eq!(lifted("alice", "dev/crm", "crm"), ("card email".into(), true));
    assert_eq!(lifted("alice", "dev/crm", "billing"), (String::new(), false));
    assert_eq!(lifted("alice", "dev/readers", "crm"), (String::new(), false), "reading is not seeing");
    assert_eq!(lifted("eve", "dev/crm", "crm"), ("email".into(), false));
    assert_eq!(lifted("carl", "dev/crm", "crm"), (String::new(), false), "what asks stays masked");
    assert_eq!(
        lifted("alice", "dev/crm", "countersign"),
        (String::new(), false),
        "no classes are not all classes"
    );
    assert_eq!(lifted("alice", "dev/crm", "nowhere"), (String::new(), false));
}

#[test]
fn an_action_is_listed_unless_no_permit_fits_or_a_plain_forbid_does() {
    let engine = engine(
        r#"
        permit (principal in Group::"dev/staff", action in Action::"operation", resource in Target::"crm")
        when { context has approval };
        forbid (principal == Principal::"dev/eve", action == Action::"crm:customers.read", resource);
        forbid (principal == Principal::"dev/carl", action, resource) when { principal.issuer == "dev" };
        @approve("dev/a") forbid (principal, action == Action::"crm:payments.create", resource)
        unless { context has approval && context.approval.groups.contains("dev/a") };
        "#,
    );
    let listed = |subject: &str, action: &str| {
        let action = access("crm", action).action;
        engine.may_list(&who(subject, &["dev/staff"]), &name("crm"), &action)
    };
    assert!(listed("alice", "crm:customers.read"));
    assert!(listed("alice", "crm:payments.create"), "what asks is listed");
    assert!(!listed("alice", "http.get"), "no permit's scope matches");
    assert!(!listed("eve", "crm:customers.read"), "a forbid without conditions hides");
    assert!(listed("eve", "crm:payments.create"));
    assert!(listed("carl", "crm:customers.read"), "a forbid with conditions may not apply");
    assert!(!engine.may_list(&who("x", &[]), &name("crm"), &access("crm", "crm:customers.read").action));
    assert!(!engine.may_list(&who("alice", &["dev/staff"]), &name("crm"), &ActionName::builtin("crm:gone")));
}

#[test]
fn a_duplicate_decides_alike_and_shares_nothing_that_counts() {
    let engine = engine(POLICIES);
    let copy = engine.duplicate().unwrap();
    assert_eq!(engine.revision(), copy.revision());
    let staff = who("alice", &["dev/staff"]);
    let of = |engine: &Engine| engine.decide(&staff, &customer(1), Some(&groups(&[]))).unwrap();
    assert_eq!(of(&engine), of(&copy));
    let (Decision::Allow { reasons: a, .. }, Decision::Allow { reasons: b, .. }) = (of(&engine), of(&copy))
    else {
        panic!("not allowed")
    };
    let (Some(model::Reason::Permit { policy: a }), Some(model::Reason::Permit { policy: b })) =
        (a.first(), b.first())
    else {
        panic!("no permits")
    };
    assert!(!Arc::ptr_eq(&a.0, &b.0), "the ids of two engines are counted apart");
}

#[test]
fn the_revision_changes_with_text_names_and_schema() {
    let of = |targets: &[policy::TargetModel], name: &str, text: &str| {
        Engine::compile(targets, &[file(name, text)]).unwrap().revision().to_owned()
    };
    let one = of(&targets(), "p.cedar", "");
    assert_eq!(one.len(), 64);
    assert_eq!(one, of(&targets(), "p.cedar", ""));
    assert_ne!(one, of(&targets(), "q.cedar", ""));
    assert_ne!(one, of(&targets(), "p.cedar", "permit(principal, action, resource);"));
    assert_ne!(one, of(&targets()[..2], "p.cedar", ""));
}
