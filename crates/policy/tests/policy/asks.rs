//! The loop that tells an ask from a denial, and that Cedar stays the authority after signing.

use model::Decision;
use policy::{Engine, Who};

use crate::fixture::{access, call, customer, decide, engine, groups, line, payment, request, who};

/// A forbid that the group can turn.
fn ask(id: &str, group: &str, scope: &str, rest: &str) -> String {
    format!(
        "@id(\"{id}\") @approve(\"{group}\") forbid (principal, {scope}, resource) {rest} \
         unless {{ context has approval && context.approval.groups.contains(\"{group}\") }};\n"
    )
}

const PERMIT: &str = "@id(\"all\") permit (principal, action, resource);\n";

fn alice() -> Who {
    who("alice", &[])
}

fn signed(engine: &Engine, by: &[&str]) -> String {
    line(&engine.decide(&alice(), &payment("5", &[]), Some(&groups(by))).unwrap())
}

#[test]
fn an_annotated_forbid_alone_is_an_ask_and_a_signature_turns_it() {
    let engine = engine(&[PERMIT, &ask("pay", "dev/a", "action in Action::\"write\"", "")].concat());
    assert_eq!(decide(&engine, &alice(), &payment("5", &[])), "ask dev/a [p.cedar#pay]");
    assert_eq!(signed(&engine, &["dev/a"]), "allow [p.cedar#all]");
    assert_eq!(signed(&engine, &["dev/b"]), "ask dev/a [p.cedar#pay]");
    assert_eq!(signed(&engine, &[]), "ask dev/a [p.cedar#pay]");
    assert_eq!(decide(&engine, &alice(), &customer(1)), "allow [p.cedar#all]", "a read asks nobody");
}

#[test]
fn an_ask_needs_a_permit_behind_it() {
    let engine = engine(&ask("pay", "dev/a", "action", ""));
    let expected = "deny [no policy permits `crm:payments.create` on `Target::\"crm\"`]";
    assert_eq!(decide(&engine, &alice(), &payment("5", &[])), expected);
}

#[test]
fn several_forbids_ask_for_all_their_groups() {
    let text = [
        PERMIT,
        &ask("x", "dev/a", "action", ""),
        &ask("y", "dev/b", "action", ""),
        &ask("z", "dev/a", "action", ""),
    ];
    let engine = engine(&text.concat());
    assert_eq!(
        decide(&engine, &alice(), &payment("5", &[])),
        "ask dev/a+dev/b [p.cedar#x, p.cedar#y, p.cedar#z]"
    );
    assert_eq!(
        signed(&engine, &["dev/a"]),
        "ask dev/a+dev/b [p.cedar#x, p.cedar#y, p.cedar#z]",
        "a new request asks for all"
    );
    assert_eq!(signed(&engine, &["dev/a", "dev/b", "dev/c"]), "allow [p.cedar#all]");
}

#[test]
fn another_forbid_beside_an_ask_is_a_denial() {
    for other in [
        "@id(\"no\") forbid (principal, action in Action::\"write\", resource);",
        "@id(\"no\") forbid (principal, action == Action::\"crm:payments.create\", resource) when { context.args.to == \"DE00\" };",
    ] {
        let engine = engine(&[PERMIT, &ask("pay", "dev/a", "action", ""), other].concat());
        assert_eq!(decide(&engine, &alice(), &payment("5", &[])), "deny [p.cedar#no, p.cedar#pay]");
        assert_eq!(signed(&engine, &["dev/a"]), "deny [p.cedar#no]");
    }
}

#[test]
fn a_grant_that_brings_up_another_ask_asks_for_both() {
    let second = "@id(\"second\") @approve(\"dev/b\") forbid (principal, action == Action::\"crm:payments.create\", resource) \
         when { context has approval && context.approval.groups.contains(\"dev/a\") } \
         unless { context has approval && context.approval.groups.contains(\"dev/b\") };";
    let engine = engine(&[PERMIT, &ask("first", "dev/a", "action", ""), second].concat());
    assert_eq!(
        decide(&engine, &alice(), &payment("5", &[])),
        "ask dev/a+dev/b [p.cedar#first, p.cedar#second]"
    );
    assert_eq!(signed(&engine, &["dev/a", "dev/b"]), "allow [p.cedar#all]");
}

#[test]
fn a_grant_that_brings_up_a_plain_forbid_is_a_denial() {
    let engine = engine(
        &[PERMIT, &ask("pay", "dev/a", "action", ""), "@id(\"trap\") forbid (principal, action in Action::\"write\", resource) when { context has approval };"]
            .concat(),
    );
    assert_eq!(decide(&engine, &alice(), &payment("5", &[])), "deny [p.cedar#trap]");
}

#[test]
fn a_forbid_that_its_own_signature_does_not_turn_is_a_denial() {
    let stubborn = "@id(\"s\") @approve(\"dev/a\") forbid (principal, action == Action::\"crm:payments.create\", resource) \
        unless { context has approval && context.approval.groups.contains(\"dev/a\") && context.args.to == \"other\" };";
    let engine = engine(&[PERMIT, stubborn].concat());
    assert_eq!(decide(&engine, &alice(), &payment("5", &[])), "deny [p.cedar#s]");
    assert_eq!(signed(&engine, &["dev/a"]), "deny [p.cedar#s]");
}

#[test]
fn an_error_beside_an_ask_is_a_denial_also_when_only_the_grant_brings_it_up() {
    for condition in [
        "context.args.id + 9223372036854775807 > 0",
        "context has approval && context.args.id + 9223372036854775807 > 0",
    ] {
        let failing = format!(
            "@id(\"e\") forbid (principal, action == Action::\"crm:customers.read\", resource) when {{ {condition} }};"
        );
        let engine = engine(&[PERMIT, &ask("r", "dev/a", "action", ""), &failing].concat());
        assert_eq!(
            decide(&engine, &alice(), &customer(1)),
            "deny [`p.cedar#e` failed: an integer overflows]"
        );
    }
}

#[test]
fn asks_of_several_accesses_add_up_and_a_denial_of_one_denies() {
    let get = ask("get", "dev/a", "action == Action::\"http.get\"", "");
    let post = ask("post", "dev/b", "action == Action::\"http.post\"", "");
    let both = call(
        "crm",
        vec![access("crm", "http.get"), access("crm", "http.post")],
        request("crm", "http.get", "/").context,
    );
    let asking = engine(&[PERMIT, &get, &post].concat());
    assert_eq!(decide(&asking, &alice(), &both), "ask dev/a+dev/b [p.cedar#get, p.cedar#post]");
    let only_get = engine(&["permit (principal, action == Action::\"http.get\", resource);", &get].concat());
    let expected = "deny [no policy permits `http.post` on `Target::\"crm\"`]";
    assert_eq!(decide(&only_get, &alice(), &both), expected);
}

#[test]
fn an_allow_after_signing_carries_its_obligations() {
    let text =
        ["@ttl(\"5s\") permit (principal, action, resource);", &ask("pay", "dev/a", "action", "")].concat();
    let decision = engine(&text).decide(&alice(), &payment("5", &[]), Some(&groups(&["dev/a"]))).unwrap();
    let Decision::Allow { obligations, .. } = decision else { panic!("{decision:?}") };
    assert_eq!(obligations.ttl.unwrap().secs(), 5);
}
