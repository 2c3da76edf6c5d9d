//! From text to policies that are known to be understood: parsed, named, annotated, and validated against each schema that
//! they could apply under.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cedar_policy::{
    EntityUid, Policy, PolicySet, ResourceConstraint, Schema, ValidationMode, ValidationWarning, Validator,
};
use miette::Diagnostic;
use model::{ApprovalId, GroupName, IssuerName, Obligations, PolicyId, RateLimit};

use crate::annotation::{Annotations, annotations};
use crate::problem::Problem;
use crate::schema::{action_groups, schema};
use crate::source::{MAX_POLICIES, PolicyFile, Statement, statements};
use crate::target::{READ_UNMASKED, TargetModel};

/// One policy, understood.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: PolicyId,
    pub(crate) policy: Policy,
    /// For a forbid: the group whose signature can turn it.
    pub(crate) approve: Option<GroupName>,
    /// For a permit: what it demands of an allowed call.
    pub(crate) obligations: Obligations,
    /// The number of its file, and the byte at which it begins there.
    place: (usize, usize),
}

/// All statements of all files as policies, or everything that is wrong with their text.
pub(crate) fn parse(files: &[PolicyFile]) -> Result<Vec<Rule>, Vec<Problem>> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut problems = Vec::new();
    let mut ids: BTreeSet<PolicyId> = BTreeSet::new();
    for (number, file) in files.iter().enumerate() {
        let statements = statements(file).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        for (index, statement) in statements.iter().enumerate() {
            match rule(file, number, index, statement) {
                Ok(rule) if ids.insert(rule.id.clone()) => rules.push(rule),
                Ok(rule) => {
                    let message = format!("the id `{}` is taken by another policy", rule.id);
                    problems.push(
                        Problem::at(file, statement.start, message)
                            .help("give each policy an `@id` of its own"),
                    );
                }
                Err(found) => problems.extend(found),
            }
        }
    }
    if rules.len() > MAX_POLICIES {
        problems
            .push(Problem::of("policies", format!("{} policies are more than {MAX_POLICIES}", rules.len())));
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn rule(
    file: &PolicyFile,
    number: usize,
    index: usize,
    statement: &Statement<'_>,
) -> Result<Rule, Vec<Problem>> {
    let start = statement.start;
    let policy = Policy::parse(None, statement.text).map_err(|errors| {
        errors.iter().map(|error| Problem::found(file, start, error)).collect::<Vec<_>>()
    })?;
    let said = annotations(&policy).map_err(|wrong| {
        wrong.into_iter().map(|wrong| Problem::at(file, start, wrong)).collect::<Vec<_>>()
    })?;
    let name = said.id.clone().unwrap_or_else(|| (index + 1).to_string());
    let id = PolicyId(format!("{}#{name}", file.name).into());
    // Cedar ignores `@id`.
    let policy = policy.new_id(cedar_policy::PolicyId::new(&id.0));
    let obligations = obligations(&said, &id);
    Ok(Rule { id, policy, approve: said.approve, obligations, place: (number, start) })
}

fn obligations(said: &Annotations, id: &PolicyId) -> Obligations {
    let rate = said.rate.map(|(calls, per)| RateLimit { policy: id.clone(), calls, per });
    Obligations { ttl: said.ttl, rates: rate.into_iter().collect(), record: said.record }
}

/// Everything in which the rules do not fit the targets.
///
/// A rule whose scope names a target must fit that target's schema, any other each schema; and it must be able to apply
/// under at least one.
pub(crate) fn validate(rules: &[Rule], targets: &[TargetModel], files: &[PolicyFile]) -> Vec<Problem> {
    let mut check = Check { files, problems: BTreeSet::new(), faulty: BTreeSet::new() };
    if let (Some(rule), true) = (rules.first(), targets.is_empty()) {
        check.wrong(rule, "there is no target that policies could speak of".to_owned());
    }
    let groups = action_groups(targets);
    let actions = action_names(targets);
    for rule in rules {
        for literal in rule.policy.entity_literals() {
            if let Err(wrong) = known(&literal, targets, &actions) {
                check.wrong(rule, wrong);
            }
        }
    }
    // What such a rule does under a schema follows from the name that does not exist.
    let misnamed = check.faulty.clone();
    let mut idle = Idle::default();
    for target in targets {
        let speaks = |rule: &Rule| {
            !misnamed.contains(&rule.id) && home(&rule.policy).is_none_or(|home| home == target.name.as_str())
        };
        let speaking: Vec<(usize, &Rule)> =
            rules.iter().enumerate().filter(|(_, rule)| speaks(rule)).collect();
        let foreign = foreign_actions(target, &groups, &actions, &speaking);
        check.target(target, schema(target, &groups, &foreign), speaking, &mut idle);
    }
    for (number, (schemas, warnings)) in &idle.0 {
        let Some(rule) = rules.get(*number).filter(|rule| !check.faulty.contains(&rule.id)) else { continue };
        if let (Some(warning), true) = (warnings.first(), warnings.len() == *schemas) {
            check.found(rule, warning);
        }
    }
    // The same fault under several schemas may come with different advice.
    let mut problems: Vec<Problem> = check.problems.into_iter().collect();
    problems
        .dedup_by(|a, b| (&a.file, a.line, a.column, &a.message) == (&b.file, b.line, b.column, &b.message));
    problems
}

/// For each rule, under how many schemas it was validated, and the warnings by which it can apply to nothing there.
#[derive(Default)]
struct Idle(BTreeMap<usize, (usize, Vec<ValidationWarning>)>);

struct Check<'a> {
    files: &'a [PolicyFile],
    problems: BTreeSet<Problem>,
    /// The rules that have a problem, so that what follows from it is not told as another.
    faulty: BTreeSet<PolicyId>,
}

impl Check<'_> {
    fn wrong(&mut self, rule: &Rule, message: String) {
        if let Some(file) = self.files.get(rule.place.0) {
            self.problems.insert(Problem::at(file, rule.place.1, message));
            self.faulty.insert(rule.id.clone());
        }
    }

    fn found(&mut self, rule: &Rule, error: &dyn Diagnostic) {
        if let Some(file) = self.files.get(rule.place.0) {
            self.problems.insert(Problem::found(file, rule.place.1, error));
            self.faulty.insert(rule.id.clone());
        }
    }

    /// Validates the rules, by their numbers, that could apply to `target`, under its schema.
    fn target(
        &mut self,
        target: &TargetModel,
        schema: serde_json::Value,
        rules: Vec<(usize, &Rule)>,
        idle: &mut Idle,
    ) {
        if rules.is_empty() {
            return;
        }
        let by_id: HashMap<&cedar_policy::PolicyId, (usize, &Rule)> =
            rules.iter().map(|(number, rule)| (rule.policy.id(), (*number, *rule))).collect();
        let set = PolicySet::from_policies(rules.iter().map(|(_, rule)| rule.policy.clone()));
        let schema = Schema::from_json_value(schema);
        let (Ok(set), Ok(schema)) = (set, schema) else {
            let message = "its schema or policies cannot be put together";
            self.problems.insert(Problem::of(&format!("target `{}`", target.name), message));
            return;
        };
        let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
        for error in result.validation_errors() {
            if let Some((_, rule)) = by_id.get(error.policy_id()) {
                self.found(rule, error);
            }
        }
        let mut inert: BTreeMap<usize, ValidationWarning> = BTreeMap::new();
        for warning in result.validation_warnings() {
            let Some(&(number, rule)) = by_id.get(warning.policy_id()) else { continue };
            let impossible = matches!(
                warning,
                ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_)
            );
            if impossible {
                inert.insert(number, warning.clone());
            } else {
                self.found(rule, warning);
            }
        }
        for (number, _) in rules {
            let (schemas, warnings) = idle.0.entry(number).or_default();
            *schemas += 1;
            warnings.extend(inert.remove(&number));
        }
    }
}

/// The target that the policy's scope names.
fn home(policy: &Policy) -> Option<String> {
    let (ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid)) =
        policy.resource_constraint()
    else {
        return None;
    };
    let id = uid.id().unescaped();
    match uid.type_name().basename() {
        "Target" => Some(id.to_owned()),
        "FieldClass" => id.split_once('/').map(|(target, _)| target.to_owned()),
        _ => None,
    }
}

/// The actions of other targets that these rules name.
fn foreign_actions(
    target: &TargetModel,
    groups: &BTreeSet<&'static str>,
    actions: &BTreeSet<&str>,
    rules: &[(usize, &Rule)],
) -> BTreeSet<String> {
    let own: BTreeSet<&str> = target.actions.iter().map(|action| action.name.as_str()).collect();
    let foreign = |name: &str| {
        name != READ_UNMASKED && !own.contains(name) && !groups.contains(name) && actions.contains(name)
    };
    let literals = rules.iter().flat_map(|(_, rule)| rule.policy.entity_literals());
    let named =
        literals.filter(|uid| uid.type_name().basename() == "Action" && foreign(uid.id().unescaped()));
    named.map(|uid| uid.id().unescaped().to_owned()).collect()
}

/// Whether a literal names something that can exist. Cedar takes any id: a misspelt target or a group without its issuer
/// would never match, which under a forbid lets calls through.
fn known(literal: &EntityUid, targets: &[TargetModel], actions: &BTreeSet<&str>) -> Result<(), String> {
    let id = literal.id().unescaped();
    let target = |name: &str| targets.iter().find(|target| target.name.as_str() == name);
    let has = |target: &TargetModel, class: &str| target.classes.iter().any(|known| known.as_str() == class);
    match literal.type_name().basename() {
        "Action" if !actions.contains(id) => Err(unlike(literal, actions.iter().copied())),
        "Target" if target(id).is_none() => {
            Err(unlike(literal, targets.iter().map(|target| target.name.as_str())))
        }
        "FieldClass" => match id.split_once('/') {
            Some((name, class)) if target(name).is_some_and(|target| has(target, class)) => Ok(()),
            None if targets.iter().any(|target| has(target, id)) => Ok(()),
            _ => Err(format!("`{literal}` does not exist: no target has this class")),
        },
        "Group" => GroupName::parse(id).map(drop).map_err(|bad| bad.to_string()),
        "Principal" => {
            let subject = id.split_once('/').filter(|(_, subject)| !subject.is_empty());
            let issuer = subject.map(|(issuer, _)| IssuerName::parse(issuer));
            let known = matches!(issuer, Some(Ok(_)));
            if known { Ok(()) } else { Err(format!("`{literal}` is no principal: write `issuer/subject`")) }
        }
        "Approval" => ApprovalId::parse(id).map(drop).map_err(|bad| format!("`{literal}`: {bad}")),
        _ => Ok(()),
    }
}

/// Everything that can stand after `Action::`.
fn action_names(targets: &[TargetModel]) -> BTreeSet<&str> {
    let declared = targets.iter().flat_map(|target| target.actions.iter().map(|action| action.name.as_str()));
    action_groups(targets).into_iter().chain([READ_UNMASKED]).chain(declared).collect()
}

/// That the literal does not exist, and the name that is nearest to it.
fn unlike<'a>(literal: &EntityUid, names: impl Iterator<Item = &'a str>) -> String {
    let distance = |name: &&str| strsim::damerau_levenshtein(literal.id().unescaped(), name);
    match names.min_by_key(distance) {
        Some(nearest) => format!("`{literal}` does not exist; the nearest name is `{nearest}`"),
        None => format!("`{literal}` does not exist"),
    }
}
