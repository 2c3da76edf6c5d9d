//! Annotations: what a policy tells the host. One that the host does not know is refused, so that a misspelt obligation is
//! never taken for none.

use std::num::NonZeroU32;
use std::time::Duration;

use cedar_policy::{Effect, Policy, pst};
use model::{GroupName, RecordLevel, Ttl};

/// What the annotations of one policy say.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    pub(crate) id: Option<String>,
    pub(crate) approve: Option<GroupName>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) rate: Option<(NonZeroU32, Duration)>,
    pub(crate) record: RecordLevel,
}

/// Reads the annotations, or says what is wrong with each that is wrong.
pub(crate) fn annotations(policy: &Policy) -> Result<Annotations, Vec<String>> {
    let mut found = Annotations::default();
    let mut wrong = Vec::new();
    for (name, text) in policy.annotations() {
        if let Err(problem) = read(policy, name, text, &mut found) {
            wrong.push(problem);
        }
    }
    wrong.sort();
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

fn read(policy: &Policy, name: &str, text: &str, found: &mut Annotations) -> Result<(), String> {
    let only_on = |effect: Effect| {
        let (right, wrong) =
            if effect == Effect::Permit { ("permit", "forbid") } else { ("forbid", "permit") };
        if policy.effect() == effect {
            Ok(())
        } else {
            Err(format!("`@{name}` stands on a {right}, not on a {wrong}"))
        }
    };
    match name {
        "id" => found.id = Some(id(text)?),
        "description" => {}
        "approve" => {
            only_on(Effect::Forbid)?;
            let group = GroupName::parse(text).map_err(|bad| format!("`@approve`: {bad}"))?;
            if !can_be_turned(policy, &group) {
                return Err(format!(
                    "`@approve(\"{group}\")` stands on a forbid that its signature could not turn: it must hold `unless {{ \
                     context has approval && context.approval.groups.contains(\"{group}\") }}`"
                ));
            }
            found.approve = Some(group);
        }
        "ttl" => {
            only_on(Effect::Permit)?;
            found.ttl = Some(Ttl::parse(text).map_err(|bad| format!("`@ttl`: {bad}"))?);
        }
        "rate" => {
            only_on(Effect::Permit)?;
            found.rate = Some(rate(text).ok_or("`@rate`: write a number and a unit, such as `10/minute`; units are `second`, `minute` and `hour`")?);
        }
        "record" => {
            only_on(Effect::Permit)?;
            found.record = match text {
                "heads" => RecordLevel::Heads,
                "full" => RecordLevel::Full,
                _ => return Err("`@record`: write `heads` or `full`".to_owned()),
            };
        }
        _ => {
            return Err(format!(
                "`@{name}` is not known: expected `@id`, `@description`, `@approve`, `@ttl`, `@rate` or `@record`"
            ));
        }
    }
    Ok(())
}

/// Ids stand in logs and reasons, so they have no control characters and an end.
fn id(text: &str) -> Result<String, String> {
    if (1..=128).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("`@id`: an id is 1 to 128 bytes without control characters".to_owned())
    }
}

fn rate(text: &str) -> Option<(NonZeroU32, Duration)> {
    let (number, unit) = text.split_once('/')?;
    let per = match unit {
        "second" => Duration::from_secs(1),
        "minute" => Duration::from_secs(60),
        "hour" => Duration::from_secs(3_600),
        _ => return None,
    };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if plain { Some((number.parse().ok()?, per)) } else { None }
}

/// Whether the forbid looks for the group's signature where finding it could lift the denial: in an `unless`, or under a
/// negation in a `when`.
fn can_be_turned(policy: &Policy, group: &GroupName) -> bool {
    let Ok(pst::Policy::Static(body)) = policy.to_pst() else { return false };
    body.body().clauses().iter().any(|clause| match clause {
        pst::Clause::Unless(condition) => asks_for(condition, group, true),
        pst::Clause::When(condition) => asks_for(condition, group, false),
    })
}

/// Whether `condition` is helped (`lifts`) to be true, or else false, by the group's signature.
fn asks_for(condition: &pst::Expr, group: &GroupName, lifts: bool) -> bool {
    match condition {
        pst::Expr::BinaryOp { op: pst::BinaryOp::And | pst::BinaryOp::Or, left, right } => {
            asks_for(left, group, lifts) || asks_for(right, group, lifts)
        }
        pst::Expr::UnaryOp { op: pst::UnaryOp::Not, expr } => asks_for(expr, group, !lifts),
        pst::Expr::BinaryOp { op: pst::BinaryOp::Contains, left, right } => {
            lifts
                && is_signers(left)
                && matches!(&**right, pst::Expr::Literal(pst::Literal::String(text)) if text.as_str() == group.as_str())
        }
        _ => false,
    }
}

/// `context.approval.groups`
fn is_signers(expr: &pst::Expr) -> bool {
    let pst::Expr::GetAttr { expr: approval, attr: groups } = expr else { return false };
    let pst::Expr::GetAttr { expr: context, attr: approval } = &**approval else { return false };
    groups == "groups" && approval == "approval" && matches!(&**context, pst::Expr::Var(pst::Var::Context))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_from(text: &str) -> Result<Annotations, Vec<String>> {
        annotations(&Policy::parse(None, text).unwrap())
    }

    #[test]
    fn each_annotation_has_one_spelling_and_one_effect() {
        for bad in [
            "@ttl permit(principal, action, resource);",
            "@ttl(\"30\") permit(principal, action, resource);",
            "@ttl(\"30s\") forbid(principal, action, resource);",
            "@rate(\"0/minute\") permit(principal, action, resource);",
            "@rate(\"+1/minute\") permit(principal, action, resource);",
            "@rate(\"1/day\") permit(principal, action, resource);",
            "@rate(\"4294967296/hour\") permit(principal, action, resource);",
            "@rate(\"1/minute\") forbid(principal, action, resource);",
            "@record(\"all\") permit(principal, action, resource);",
            "@record(\"full\") forbid(principal, action, resource);",
            "@approve(\"dev/a\") permit(principal, action, resource);",
            "@id permit(principal, action, resource);",
            "@id(\"a\\nb\") permit(principal, action, resource);",
            "@Ttl(\"30s\") permit(principal, action, resource);",
            "@retain(\"1y\") permit(principal, action, resource);",
        ] {
            assert!(read_from(bad).is_err(), "{bad}");
        }
        let found = read_from("@id(\"a\") @ttl(\"30s\") @rate(\"10/minute\") @record(\"full\") @description permit(principal, action, resource);").unwrap();
        assert_eq!(found.ttl.unwrap().secs(), 30);
        assert_eq!(found.rate.unwrap(), (NonZeroU32::new(10).unwrap(), Duration::from_secs(60)));
        assert_eq!((found.id.as_deref(), found.record), (Some("a"), RecordLevel::Full));
    }

    #[test]
    fn approve_stands_only_on_a_forbid_that_its_group_can_turn() {
        let signed = "context has approval && context.approval.groups.contains(\"dev/a\")";
        let forbid = |rest: &str| {
            read_from(&format!("@approve(\"dev/a\") forbid(principal, action, resource) {rest};"))
        };
        for good in [
            format!("unless {{ {signed} }}"),
            format!("when {{ !({signed}) }}"),
            format!("unless {{ principal.subject == \"x\" || ({signed}) }}"),
            format!("when {{ context.args.amount > 5 }} unless {{ {signed} }}"),
        ] {
            assert!(forbid(&good).is_ok(), "{good}");
        }
        for bad in [
            String::new(),
            format!("when {{ {signed} }}"),
            format!("unless {{ !({signed}) }}"),
            "unless { context has approval }".to_owned(),
            "unless { context has approval && context.approval.groups.contains(\"dev/b\") }".to_owned(),
            "unless { context.args.groups.contains(\"dev/a\") }".to_owned(),
        ] {
            assert!(forbid(&bad).is_err(), "{bad}");
        }
        assert!(read_from("@approve(\"approvers\") forbid(principal, action, resource);").is_err());
    }
}
