//! What is refused before it could decide anything, and where the fault is said to be.

use std::collections::BTreeMap;

use model::{ActionName, Field, ResourceKind, Shape, Verb};
use policy::{ActionModel, Engine, PolicyFile, TargetModel};

use crate::fixture::{customer, decide, engine, file, name, problems, targets, who};

#[test]
fn each_fault_is_named_with_its_line() {
    let faults = [
        ("no semicolon", "\n  permit (principal, action, resource)"),
        (
            "bad token",
            "permit (principal, action, resource);\n// then\npermit (principal, action, resource) when { # };",
        ),
        ("template", "permit (principal == ?principal, action, resource);"),
        ("duplicate annotation", "@id(\"a\")\n@id(\"b\") permit (principal, action, resource);"),
        ("unknown annotation", "\n\n@retain(\"1y\") permit (principal, action, resource);"),
        ("wrong effect", "@approve(\"dev/a\") permit (principal, action, resource);"),
        ("cannot be turned", "@approve(\"dev/a\") forbid (principal, action, resource);"),
        ("group without issuer", "permit (principal in Group::\"staff\", action, resource);"),
        ("principal without issuer", "permit (principal == Principal::\"alice\", action, resource);"),
        ("unknown target", "permit (principal, action, resource in Target::\"crn\");"),
        (
            "unknown target in a condition",
            "forbid (principal, action, resource) when { resource == Target::\"crn\" };",
        ),
        ("unknown class", "permit (principal, action, resource in FieldClass::\"emial\");"),
        ("class of another target", "permit (principal, action, resource == FieldClass::\"billing/card\");"),
        ("unknown action", "permit (principal, action == Action::\"http.gte\", resource);"),
        (
            "unknown attribute",
            "permit (principal, action in Action::\"http\", resource)\nwhen { context.pth == \"/\" };",
        ),
        (
            "attribute of one action only",
            "permit (principal, action, resource) when { context.path == \"/\" };",
        ),
        (
            "optional without a guard",
            "permit (principal, action == Action::\"crm:payments.create\", resource) when { context.args.urgent };",
        ),
        (
            "wrong type",
            "permit (principal, action == Action::\"crm:customers.read\", resource) when { context.args.id == \"7\" };",
        ),
        (
            "decimal by <",
            "permit (principal, action == Action::\"crm:payments.create\", resource) when { context.args.amount < decimal(\"1.0\") };",
        ),
        (
            "decimal literal",
            "permit (principal, action == Action::\"crm:payments.create\", resource) when { context.args.amount.lessThan(decimal(\"1\")) };",
        ),
        (
            "tag without a guard",
            "permit (principal, action, resource) when { principal.claims.getTag(\"team\") == \"a\" };",
        ),
        (
            "action elsewhere",
            "permit (principal, action == Action::\"http.delete\", resource in Target::\"crm\");",
        ),
        ("never true", "permit (principal, action, resource) when { principal has nothing };"),
        ("confusable (a warning)", "permit (principal == Principal::\"dev/\u{430}lice\", action, resource);"),
        (
            "bidi (a warning)",
            "permit (principal, action, resource) when { principal.subject == \"a\u{202e}b\" };",
        ),
        (
            "class policies read no context",
            "permit (principal, action == Action::\"readUnmasked\", resource) when { context.path == \"/\" };",
        ),
    ];
    let report: String = faults
        .into_iter()
        .map(|(fault, text)| {
            let found = Engine::compile(&targets(), &[file("p.cedar", text)]).map(|_| ()).expect_err(fault);
            let lines: String = found
                .iter()
                .map(|problem| match &problem.help {
                    Some(help) => format!("  {problem}\n    help: {help}\n"),
                    None => format!("  {problem}\n"),
                })
                .collect();
            format!("{fault}\n{lines}")
        })
        .collect();
    insta::assert_snapshot!("problems", report);
}

#[test]
fn a_nesting_bomb_is_refused_without_an_abort() {
    for bomb in [
        format!(
            "permit(principal, action, resource) when {{ {}true{} }};",
            "(".repeat(100_000),
            ")".repeat(100_000)
        ),
        format!(
            "permit(principal, action, resource) when {{ {}1{} }};",
            "[".repeat(400_000),
            "]".repeat(400_000)
        ),
        format!("permit(principal, action, resource) when {{ {}true }};", "true && ".repeat(100_000)),
        format!(
            "permit(principal, action, resource) when {{ {}true }};",
            "if true then true else ".repeat(40_000)
        ),
        format!("permit(principal, action, resource) when {{ context{} }};", ".a".repeat(400_000)),
        format!("permit(principal, action, resource) when {{ context{} }};", "[\"a\"]".repeat(200_000)),
        format!("permit(principal, action, resource) when {{ {}true }};", "!".repeat(1_000_000)),
    ] {
        let found = problems(&bomb);
        assert!(
            found[0].contains("nested deeper") || found[0].contains("more than 300 operators"),
            "{}",
            found[0]
        );
    }
}

#[test]
fn the_deepest_text_that_is_let_through_is_looked_at_whole() {
    // A validator that runs short of stack passes anything: here it must see the fault at the very bottom.
    let scope = "permit(principal, action == Action::\"crm:customers.read\", resource) when";
    let id_is = "context.args.id == 1";
    for (open, close) in [
        ("(".repeat(60), ")".repeat(60)),
        ("true && (".repeat(60), ")".repeat(60)),
        ("if true then (".repeat(60), ") else true".repeat(60)),
        (format!("{id_is} || ").repeat(95), String::new()),
        ("true && ".repeat(290), String::new()),
        (String::new(), " && true".repeat(290)),
        (format!("if {id_is} then false else ").repeat(95), String::new()),
    ] {
        let found = problems(&format!("{scope} {{ {open}context.args.id == \"text\"{close} }};"));
        assert!(
            found.iter().any(|problem| problem.contains("types Long and String")),
            "{open:.20}: {found:?}"
        );
        // Evaluated on a test's thread, whose stack is a worker's: 2 MiB.
        let sound = engine(&format!("{scope} {{ {open}context.args.id == 7{close} }};"));
        assert_eq!(decide(&sound, &who("a", &[]), &customer(7)), "allow [p.cedar#1]", "{open:.20}");
    }
    let sum = " + 1".repeat(290);
    let found = problems(&format!("{scope} {{ principal.subject{sum} == 297 }};"));
    assert!(found.iter().any(|problem| problem.contains("expected Long but saw String")), "{found:?}");
    let sound = engine(&format!("{scope} {{ context.args.id{sum} == 297 }};"));
    assert_eq!(decide(&sound, &who("a", &[]), &customer(7)), "allow [p.cedar#1]");
}

#[test]
fn what_cedar_reads_several_times_over_does_not_multiply() {
    // `x has a.b` and `x is T in y` mention `x` twice once they are parsed: within each other that doubles at every level.
    for (open, close) in [
        ("(if ", " has actor.actor then principal else principal)"),
        ("(if ", " is Principal in principal then principal else principal)"),
    ] {
        let nested = format!("{}principal{}", open.repeat(60), close.repeat(60));
        let found =
            problems(&format!("permit(principal, action, resource) when {{ {nested} == principal }};"));
        assert!(found[0].contains("only after a path"), "{found:?}");
    }
    let long = format!(
        "permit(principal, action, resource) when {{ principal has actor{} }};",
        ".actor".repeat(400)
    );
    assert!(problems(&long)[0].contains("more than 8 attributes"));
    engine(
        "permit(principal, action, resource) when { principal has actor.actor.actor.subject && principal is Principal in Group::\"dev/a\" };",
    );
}

#[test]
fn sizes_numbers_and_names_of_files_are_bounded() {
    let refused = |files: &[PolicyFile], what: &str| {
        let found = Engine::compile(&targets(), files).map(|_| ()).unwrap_err();
        assert!(found.iter().any(|problem| problem.to_string().contains(what)), "{what}: {found:?}");
    };
    let comment = |bytes: usize| format!("//{}", " ".repeat(bytes));
    refused(&[file("a", &comment(1 << 20))], "bytes are more than 1048576");
    refused(
        &(0..9).map(|i| file(&i.to_string(), &comment((1 << 20) - 2))).collect::<Vec<_>>(),
        "in all are more than 8388608",
    );
    refused(
        &(0..1_001).map(|i| file(&i.to_string(), "")).collect::<Vec<_>>(),
        "1001 files are more than 1000",
    );
    refused(&[file("a", ""), file("a", "")], "two files have this name");
    refused(&[file("", "")], "a file name is");
    refused(&[file("a\nb", "")], "a file name is");
}

#[test]
fn an_id_stands_once() {
    let twice =
        "@id(\"a\") permit(principal, action, resource);\n@id(\"a\") forbid(principal, action, resource);";
    assert_eq!(problems(twice), ["p.cedar:2:1: the id `p.cedar#a` is taken by another policy"]);
    let place = "@id(\"2\") permit(principal, action, resource);\nforbid(principal, action, resource);";
    assert_eq!(problems(place), ["p.cedar:2:1: the id `p.cedar#2` is taken by another policy"]);
    let text = "@id(\"a\") permit(principal, action, resource);";
    assert!(Engine::compile(&targets(), &[file("p", text), file("q", text)]).is_ok());
}

#[test]
fn a_policy_on_a_group_of_actions_may_guard_what_only_some_have() {
    engine(
        "permit (principal, action in Action::\"operation\", resource) when { context.args has id && context.args.id > 5 };",
    );
}

#[test]
fn a_guard_does_not_help_where_two_actions_have_the_attribute_in_different_types() {
    let mut targets = targets();
    let text_id = Shape::Record(BTreeMap::from([("id".to_owned(), Field::required(Shape::String))]));
    targets[1].actions.push(ActionModel {
        name: ActionName::builtin("billing:invoices.read"),
        verb: Verb::Read,
        group: "operation",
        resource: ResourceKind::Target,
        context: BTreeMap::from([("args".to_owned(), Field::required(text_id))]),
    });
    let compile = |resource: &str| {
        let text = format!(
            "permit (principal, action in Action::\"operation\", {resource}) when {{ context.args has id && context.args.id == 5 }};"
        );
        Engine::compile(&targets, &[file("p.cedar", &text)])
    };
    assert!(compile("resource").is_err());
    assert!(
        compile("resource in Target::\"crm\"").is_ok(),
        "a policy that names a target is held against its schema only"
    );
}

#[test]
fn a_policy_without_a_target_may_name_the_actions_of_several() {
    let text = "permit (principal, action in [Action::\"crm:customers.read\", Action::\"http.delete\", Action::\"calls.list\"], resource);";
    assert_eq!(decide(&engine(text), &who("a", &[]), &customer(1)), "allow [p.cedar#1]");
}

#[test]
fn declarations_that_cannot_be_told_apart_are_refused() {
    let refused = |targets: &[TargetModel], what: &str| {
        let found = Engine::compile(targets, &[]).map(|_| ()).unwrap_err();
        assert!(found.iter().any(|problem| problem.message.contains(what)), "{what}: {found:?}");
    };
    let target = |actions: Vec<ActionModel>| TargetModel { name: name("t"), actions, classes: Vec::new() };
    let action = |name: &'static str, context: BTreeMap<String, Field>| ActionModel {
        name: ActionName::builtin(name),
        verb: Verb::Read,
        group: "http",
        resource: ResourceKind::Target,
        context,
    };
    let plain = |name| action(name, BTreeMap::new());
    refused(&[target(Vec::new()), target(Vec::new())], "declared twice");
    refused(&[target(vec![plain("a.b"), plain("a.b")])], "declared twice");
    for taken in ["read", "http", "readUnmasked"] {
        refused(&[target(vec![plain(taken)])], "has the name of a group");
    }
    let approval = BTreeMap::from([("approval".to_owned(), Field::required(Shape::String))]);
    refused(&[target(vec![action("a.b", approval)])], "Countersign's own");
    let deep = (0..100_000).fold(Shape::String, |shape, _| Shape::Set(Box::new(shape)));
    let deep = BTreeMap::from([("deep".to_owned(), Field::required(deep))]);
    let models = [target(vec![action("a.b", deep)])];
    refused(&models, "nested deeper");
    // Dropping a shape recurses by itself; only its refusal is ours to show.
    std::mem::forget(models);
    let nowhere =
        Engine::compile(&[], &[file("p", "permit(principal, action, resource);")]).map(|_| ()).unwrap_err();
    assert!(nowhere[0].message.contains("there is no target"));
}
