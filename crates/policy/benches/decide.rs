//! What one decision costs at 10, 1,000 and 10,000 policies, on one thread and on two with an engine each.
//!
//! `cargo bench -p countersign-policy`. Prints microseconds a decision; no harness, no thresholds.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and its inputs are its own"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use model::{
    Access, Accesses, ActionName, Call, CallId, Field, GroupName, Principal, PrincipalKey, Record, Resource,
    ResourceKind, Shape, TargetName, Value, Verb,
};
use policy::{ActionModel, Engine, PolicyFile, TargetModel, Who};

const TARGETS: usize = 50;
const ROUNDS: u32 = 20_000;

fn main() {
    for policies in [10, 1_000, 10_000] {
        let begun = Instant::now();
        let engine = Engine::compile(&targets(), &[file(policies)]).unwrap();
        let compiled = begun.elapsed();
        let begun = Instant::now();
        let copy = engine.duplicate().unwrap();
        let duplicated = begun.elapsed();
        let one = run(&engine);
        let two = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(&copy));
            (run(&engine) + other.join().unwrap()) / 2.0
        });
        println!(
            "{policies:>6} policies: {one:.1} us a decision, {two:.1} us on two threads; loaded in {compiled:.1?}, copied in {duplicated:.1?}"
        );
    }
}

fn run(engine: &Engine) -> f64 {
    let (who, call) = (who(), call());
    assert!(matches!(engine.decide(&who, &call, None), Ok(model::Decision::Allow { .. })));
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        let _ = black_box(engine.decide(black_box(&who), black_box(&call), None));
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

/// Most policies speak of one target, some of one principal; two of them can apply to the call.
fn file(policies: usize) -> PolicyFile {
    let mut text = String::from(
        "permit (principal in Group::\"dev/staff\", action == Action::\"t0:customers.read\", resource in Target::\"t0\") when { context.args.id > 5 };\n\
         forbid (principal, action in Action::\"operation\", resource in Target::\"t0\") when { context.args.name == \"root\" };\n",
    );
    for number in 2..policies {
        let target = 1 + number % (TARGETS - 1);
        text += &match number % 3 {
            0 => format!(
                "permit (principal == Principal::\"dev/user{number}\", action in Action::\"read\", resource in Target::\"t{target}\");\n"
            ),
            1 => format!(
                "permit (principal in Group::\"dev/team{number}\", action == Action::\"t{target}:customers.read\", resource) when {{ context.args.id == {number} }};\n"
            ),
            _ => format!(
                "forbid (principal in Group::\"dev/out{number}\", action, resource in Target::\"t{target}\");\n"
            ),
        };
    }
    PolicyFile { name: "bench.cedar".to_owned(), text }
}

fn targets() -> Vec<TargetModel> {
    let args = BTreeMap::from([
        ("id".to_owned(), Field::required(Shape::Long)),
        ("name".to_owned(), Field::required(Shape::String)),
    ]);
    let context = BTreeMap::from([("args".to_owned(), Field::required(Shape::Record(args)))]);
    let target = |number: usize| {
        let name = TargetName::parse(&format!("t{number}")).unwrap();
        let action = |operation: &str| ActionModel {
            name: ActionName::operation(&name, &operation.parse().unwrap()),
            verb: Verb::Read,
            group: "operation",
            resource: ResourceKind::Target,
            context: context.clone(),
        };
        let mut actions = vec![action("customers.read")];
        actions.extend((0..19).map(|number| action(&format!("other.op{number}"))));
        TargetModel { actions, name, classes: Vec::new() }
    };
    (0..TARGETS).map(target).collect()
}

fn who() -> Who {
    let groups: BTreeSet<GroupName> = ["dev/staff", "dev/berlin", "dev/on-call"]
        .into_iter()
        .map(|group| GroupName::parse(group).unwrap())
        .collect();
    let key = PrincipalKey { issuer: "dev".parse().unwrap(), subject: "alice".into() };
    let claims = BTreeMap::from([("team".to_owned(), "blue".to_owned())]);
    Who { principal: Arc::new(Principal { key, groups, claims, actor: None }), roles: BTreeSet::new() }
}

fn call() -> Call {
    let target = TargetName::parse("t0").unwrap();
    let action = ActionName::operation(&target, &"customers.read".parse().unwrap());
    let args = Record::from([("id".to_owned(), Value::Long(7)), ("name".to_owned(), Value::text("alice"))]);
    Call {
        id: CallId::new(),
        accesses: Accesses::one(Access { action, verb: Verb::Read, resource: Resource::target(&target) }),
        target,
        context: Record::from([("args".to_owned(), Value::Record(args))]),
        sentence: String::new(),
        heads: serde_json::Value::Null,
        sent: None,
    }
}
