//! Three targets, a few principals, and short ways to say a call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    Access, Accesses, ActionName, Call, CallId, ClassName, Decision, Field, GroupName, Principal,
    PrincipalKey, Reason, Record, Resource, ResourceKind, Shape, TargetName, Value, Verb,
};
use policy::{ActionModel, Engine, PolicyFile, TargetModel, Who};

pub(crate) fn name(text: &str) -> TargetName {
    TargetName::parse(text).unwrap()
}

fn fields(fields: &[(&str, Field)]) -> BTreeMap<String, Field> {
    fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect()
}

fn http(action: &'static str, verb: Verb) -> ActionModel {
    let query = Shape::Tags(Box::new(Shape::Set(Box::new(Shape::String))));
    let context = fields(&[
        ("method", Field::required(Shape::String)),
        ("path", Field::required(Shape::String)),
        ("query", Field::required(query)),
    ]);
    let (name, resource) = (ActionName::builtin(action), ResourceKind::Target);
    ActionModel { name, verb, group: "http", resource, context }
}

fn operation(target: &str, operation: &str, verb: Verb, args: &[(&str, Field)]) -> ActionModel {
    ActionModel {
        name: ActionName::operation(&name(target), &operation.parse().unwrap()),
        verb,
        group: "operation",
        resource: ResourceKind::Target,
        context: fields(&[("args", Field::required(Shape::Record(fields(args))))]),
    }
}

fn own(action: &'static str, verb: Verb, resource: ResourceKind) -> ActionModel {
    ActionModel {
        name: ActionName::builtin(action),
        verb,
        group: "countersign",
        resource,
        context: BTreeMap::new(),
    }
}

pub(crate) fn targets() -> Vec<TargetModel> {
    let address = Shape::Record(fields(&[
        ("city", Field::required(Shape::String)),
        ("floor", Field::optional(Shape::Long)),
    ]));
    let payment = [
        ("amount", Field::required(Shape::Decimal)),
        ("to", Field::required(Shape::String)),
        ("urgent", Field::optional(Shape::Bool)),
        ("labels", Field::optional(Shape::Set(Box::new(Shape::String)))),
        ("address", Field::optional(address)),
        ("extra", Field::optional(Shape::Tags(Box::new(Shape::String)))),
    ];
    let classes = |names: &[&str]| names.iter().map(|name| ClassName::parse(name).unwrap()).collect();
    vec![
        TargetModel {
            name: name("crm"),
            actions: vec![
                http("http.get", Verb::Read),
                http("http.post", Verb::Write),
                operation("crm", "customers.read", Verb::Read, &[("id", Field::required(Shape::Long))]),
                operation("crm", "payments.create", Verb::Write, &payment),
            ],
            classes: classes(&["email", "card"]),
        },
        TargetModel {
            name: name("billing"),
            actions: vec![http("http.get", Verb::Read), http("http.delete", Verb::Delete)],
            classes: classes(&["email"]),
        },
        TargetModel {
            name: name("countersign"),
            actions: vec![
                own("setup.redeem", Verb::Admin, ResourceKind::Target),
                own("calls.list", Verb::Read, ResourceKind::Target),
                own("approval.sign", Verb::Admin, ResourceKind::Approval),
            ],
            classes: Vec::new(),
        },
    ]
}

pub(crate) fn file(name: &str, text: &str) -> PolicyFile {
    PolicyFile { name: name.to_owned(), text: text.to_owned() }
}

/// An engine over the three targets with this policy text as `p.cedar`, which must be free of problems.
pub(crate) fn engine(text: &str) -> Engine {
    match Engine::compile(&targets(), &[file("p.cedar", text)]) {
        Ok(engine) => engine,
        Err(problems) => panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()),
    }
}

/// Each problem of this policy text, as it is printed.
pub(crate) fn problems(text: &str) -> Vec<String> {
    let problems = Engine::compile(&targets(), &[file("p.cedar", text)]).map(|_| ()).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

pub(crate) fn groups(names: &[&str]) -> BTreeSet<GroupName> {
    names.iter().map(|name| GroupName::parse(name).unwrap()).collect()
}

pub(crate) fn principal(subject: &str, groups_of: &[&str], claims: &[(&str, &str)]) -> Principal {
    Principal {
        key: PrincipalKey { issuer: "dev".parse().unwrap(), subject: subject.into() },
        groups: groups(groups_of),
        claims: claims.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        actor: None,
    }
}

pub(crate) fn who(subject: &str, groups_of: &[&str]) -> Who {
    Who { principal: Arc::new(principal(subject, groups_of, &[("team", "blue")])), roles: BTreeSet::new() }
}

pub(crate) fn record(values: &[(&str, Value)]) -> Record {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

pub(crate) fn access(target: &str, action: &str) -> Access {
    let declared =
        targets().into_iter().flat_map(|target| target.actions).find(|a| a.name.as_str() == action).unwrap();
    Access { action: declared.name, verb: declared.verb, resource: Resource::target(&name(target)) }
}

pub(crate) fn call(target: &str, accesses: Vec<Access>, context: Record) -> Call {
    Call {
        id: CallId::new(),
        target: name(target),
        accesses: Accesses::try_from(accesses).unwrap(),
        context,
        sentence: String::new(),
        heads: serde_json::Value::Null,
        sent: None,
    }
}

/// A free request.
pub(crate) fn request(target: &str, action: &str, path: &str) -> Call {
    let query = record(&[("q", Value::Set(vec![Value::text("a"), Value::text("b")]))]);
    let context =
        record(&[("method", Value::text("GET")), ("path", Value::text(path)), ("query", Value::Tags(query))]);
    call(target, vec![access(target, action)], context)
}

pub(crate) fn customer(id: i64) -> Call {
    let args = Value::Record(record(&[("id", Value::Long(id))]));
    call("crm", vec![access("crm", "crm:customers.read")], record(&[("args", args)]))
}

pub(crate) fn payment(amount: &str, more: &[(&str, Value)]) -> Call {
    let mut args = record(&[("amount", Value::Decimal(amount.to_owned())), ("to", Value::text("DE00"))]);
    args.extend(record(more));
    call("crm", vec![access("crm", "crm:payments.create")], record(&[("args", Value::Record(args))]))
}

/// A decision in one line: `allow [p.cedar#a]`, `ask dev/x [p.cedar#b]`, `deny [no policy permits …]`.
pub(crate) fn line(decision: &Decision) -> String {
    let why = |reasons: &[Reason]| {
        let mut each: Vec<String> = reasons
            .iter()
            .map(|reason| match reason {
                Reason::Permit { policy } | Reason::Forbid { policy } => policy.to_string(),
                other => other.to_string(),
            })
            .collect();
        each.sort();
        format!("[{}]", each.join(", "))
    };
    match decision {
        Decision::Allow { reasons, .. } => format!("allow {}", why(reasons)),
        Decision::Ask { ask, reasons } => {
            let groups: Vec<&str> = ask.groups.iter().map(GroupName::as_str).collect();
            format!("ask {} {}", groups.join("+"), why(reasons))
        }
        Decision::Deny { reasons } => format!("deny {}", why(reasons)),
    }
}

pub(crate) fn decide(engine: &Engine, who: &Who, call: &Call) -> String {
    line(&engine.decide(who, call, None).unwrap())
}
