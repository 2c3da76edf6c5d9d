//! The decision on one call: each access asked of Cedar, the denials that a signature could turn, and what permits demand.

use std::collections::BTreeSet;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, Entity, EntityUid, EvaluationError, PolicySet,
    Request, RestrictedExpression, Schema,
};
use model::{Access, Ask, Call, ClassName, Decision, GroupName, Obligations, Reason, Record, TargetName};

use crate::engine::{Action, Engine, Target, Who};
use crate::index::Place;
use crate::load::Rule;
use crate::schema::APPROVAL;
use crate::types::Subject;
use crate::value::NotUnderstood;

type Groups = BTreeSet<GroupName>;

/// See [`Engine::decide`].
pub(crate) fn decide(
    engine: &Engine,
    who: &Who,
    call: &Call,
    approval: Option<&Groups>,
) -> Result<Decision, NotUnderstood> {
    let asked = match Asked::of(engine, who, call) {
        Ok(asked) => asked,
        Err(Unasked::NotUnderstood(bad)) => return Err(bad),
        Err(Unasked::Fault(detail)) => return Ok(denied_by_fault(detail)),
    };
    let decision = asked.decide(approval);
    Ok(match decision {
        // What is missing beside the signatures at hand is not all that must sign: a new request for signatures starts
        // from none.
        Decision::Ask { .. } if approval.is_some() => match asked.decide(None) {
            whole @ Decision::Ask { .. } => whole,
            _ => decision,
        },
        _ => decision,
    })
}

/// Whether `who` may see the fields of this class as they are.
pub(crate) fn may_read_unmasked(engine: &Engine, who: &Who, target: &TargetName, class: &ClassName) -> bool {
    let Some(known) = engine.targets.get(target) else { return false };
    let Ok(subject) = engine.types.subject(who) else { return false };
    let resource = engine.types.class(class.as_str(), target);
    let question = Question::new(engine, known, &subject, &known.read_unmasked, resource, &Record::new());
    question.is_ok_and(|question| matches!(question.ask(None), Answer::Allowed { .. }))
}

/// Why a call cannot even be asked about.
enum Unasked {
    NotUnderstood(NotUnderstood),
    Fault(&'static str),
}

fn denied_by_fault(detail: &str) -> Decision {
    Decision::Deny { reasons: vec![Reason::Error { policy: None, detail: detail.to_owned() }] }
}

/// The accesses of one call as questions.
struct Asked<'a> {
    accesses: Vec<(&'a Access, Question<'a>)>,
}

impl<'a> Asked<'a> {
    fn of(engine: &'a Engine, who: &Who, call: &'a Call) -> Result<Self, Unasked> {
        let target =
            engine.targets.get(&call.target).ok_or(Unasked::Fault("the call's target is not declared"))?;
        let subject = engine.types.subject(who).map_err(Unasked::Fault)?;
        let question = |access: &'a Access| {
            let action = target.actions.get(&access.action);
            let action = action.ok_or(Unasked::Fault("the call's action is not declared"))?;
            if action.call != Some((access.verb, access.resource.kind)) {
                return Err(Unasked::Fault("the call's action is declared with another verb or resource"));
            }
            let resource = engine.types.resource(&access.resource, &call.target);
            if resource.1.is_empty() && access.resource.id != call.target.as_str() {
                return Err(Unasked::Fault("the call's resource is not its target"));
            }
            Ok((access, Question::new(engine, target, &subject, action, resource, &call.context)?))
        };
        let accesses = call.accesses.as_slice().iter().map(question).collect::<Result<_, _>>()?;
        Ok(Self { accesses })
    }

    /// Decides with the groups that have signed, and then with each group added whose signature alone is missing, until the
    /// call is allowed or nothing new can be granted.
    fn decide(&self, signed: Option<&Groups>) -> Decision {
        let mut signers: Option<Groups> = signed.cloned();
        let mut ask = Ask { groups: Groups::new(), policies: Vec::new() };
        loop {
            let round = Round::of(
                self.accesses.iter().map(|(access, question)| (*access, question.ask(signers.as_ref()))),
            );
            let asking = match round {
                Round::Allowed(obligations, reasons) if ask.groups.is_empty() => {
                    return Decision::Allow { obligations, reasons };
                }
                Round::Allowed(..) => {
                    ask.policies.sort();
                    ask.policies.dedup();
                    let reasons =
                        ask.policies.iter().map(|policy| Reason::Forbid { policy: policy.clone() }).collect();
                    return Decision::Ask { ask, reasons };
                }
                Round::Denied(reasons) => return Decision::Deny { reasons },
                Round::Asking(rules) => rules,
            };
            let held = signers.get_or_insert_default();
            let mut granted = false;
            for rule in &asking {
                ask.policies.push(rule.id.clone());
                if let Some(group) = &rule.approve {
                    granted |= held.insert(group.clone());
                    ask.groups.insert(group.clone());
                }
            }
            if !granted {
                let forbid = |rule: &&Rule| Reason::Forbid { policy: rule.id.clone() };
                return Decision::Deny { reasons: asking.iter().map(forbid).collect() };
            }
        }
    }
}

/// What one round over all accesses came to.
enum Round<'a> {
    Allowed(Obligations, Vec<Reason>),
    Denied(Vec<Reason>),
    /// Every denial is by forbids that a signature could turn: these.
    Asking(Vec<&'a Rule>),
}

impl<'a> Round<'a> {
    fn of(answers: impl Iterator<Item = (&'a Access, Answer<'a>)>) -> Self {
        let mut obligations = Obligations::default();
        let (mut permits, mut denials, mut asking) = (Vec::new(), Vec::new(), Vec::new());
        for (access, answer) in answers {
            match answer {
                Answer::Allowed { by } => {
                    for rule in by {
                        obligations = obligations.merge(rule.obligations.clone());
                        push_new(&mut permits, Reason::Permit { policy: rule.id.clone() });
                    }
                }
                Answer::Forbidden { by } if by.iter().all(|rule| rule.approve.is_some()) => asking.extend(by),
                Answer::Forbidden { by } => {
                    for rule in by {
                        push_new(&mut denials, Reason::Forbid { policy: rule.id.clone() });
                    }
                }
                Answer::NotPermitted => {
                    let (action, resource) = (access.action.to_string(), access.resource.to_string());
                    push_new(&mut denials, Reason::NoPermit { action, resource });
                }
                Answer::Failed(reasons) => {
                    reasons.into_iter().for_each(|reason| push_new(&mut denials, reason))
                }
            }
        }
        match (denials.is_empty(), asking.is_empty()) {
            (true, true) => Self::Allowed(obligations, permits),
            (true, false) => Self::Asking(asking),
            (false, _) => Self::Denied(denials),
        }
    }
}

fn push_new(reasons: &mut Vec<Reason>, reason: Reason) {
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

/// What Cedar says to one access.
enum Answer<'a> {
    Allowed { by: Vec<&'a Rule> },
    Forbidden { by: Vec<&'a Rule> },
    NotPermitted,
    Failed(Vec<Reason>),
}

/// One access, ready to be asked with one approval or another.
struct Question<'a> {
    engine: &'a Engine,
    schema: &'a Schema,
    principal: EntityUid,
    action: &'a Action,
    resource: EntityUid,
    context: Vec<(String, RestrictedExpression)>,
    entities: Entities,
    candidates: PolicySet,
}

impl<'a> Question<'a> {
    fn new(
        engine: &'a Engine,
        target: &'a Target,
        subject: &Subject,
        action: &'a Action,
        (resource, parents): (EntityUid, Vec<EntityUid>),
        record: &Record,
    ) -> Result<Self, Unasked> {
        let mut entities = Vec::new();
        let context = action.fields.convert(record, &mut entities);
        let context = context.map_err(|bad| Unasked::NotUnderstood(bad.under("context")))?;
        let numbers = engine.index.candidates(
            &Place { uid: &subject.uid, parents: &subject.parents },
            &Place { uid: &action.uid, parents: &action.groups },
            &Place { uid: &resource, parents: &parents },
        );
        let candidates =
            numbers.iter().filter_map(|number| engine.rules.get(*number)).map(|rule| rule.policy.clone());
        let candidates = PolicySet::from_policies(candidates)
            .map_err(|_| Unasked::Fault("the policies cannot be put together"))?;
        // Only this action and its groups: without them `action in …` matches nothing, with all of them each call pays
        // for every action.
        entities.push(entity(&action.uid, &action.groups));
        entities.push(entity(&resource, &parents));
        entities.extend(subject.entities.iter().cloned());
        let entities = Entities::from_entities(entities, None)
            .map_err(|_| Unasked::Fault("the call's entities cannot be put together"))?;
        let (principal, schema) = (subject.uid.clone(), &target.schema);
        Ok(Self { engine, schema, principal, action, resource, context, entities, candidates })
    }

    fn ask(&self, signed: Option<&Groups>) -> Answer<'a> {
        let Some(request) = self.request(signed) else {
            let detail = "the call does not fit its target's schema".to_owned();
            return Answer::Failed(vec![Reason::Error { policy: None, detail }]);
        };
        let response = Authorizer::new().is_authorized(&request, &self.candidates, &self.entities);
        let errors: Vec<Reason> = response.diagnostics().errors().map(|error| self.failed(error)).collect();
        if !errors.is_empty() {
            return Answer::Failed(errors);
        }
        let mut numbers: Vec<usize> =
            response.diagnostics().reason().filter_map(|id| self.number(id)).collect();
        numbers.sort_unstable();
        let by: Vec<&Rule> = numbers.into_iter().filter_map(|number| self.engine.rules.get(number)).collect();
        match (response.decision(), by.is_empty()) {
            (cedar_policy::Decision::Allow, _) => Answer::Allowed { by },
            (cedar_policy::Decision::Deny, true) => Answer::NotPermitted,
            (cedar_policy::Decision::Deny, false) => Answer::Forbidden { by },
        }
    }

    fn request(&self, signed: Option<&Groups>) -> Option<Request> {
        let mut pairs = self.context.clone();
        if let (Some(groups), Some(_)) = (signed, self.action.call) {
            let groups =
                groups.iter().map(|group| RestrictedExpression::new_string(group.as_str().to_owned()));
            let groups = ("groups".to_owned(), RestrictedExpression::new_set(groups));
            pairs.push((APPROVAL.to_owned(), RestrictedExpression::new_record([groups]).ok()?));
        }
        let context = Context::from_pairs(pairs).ok()?;
        let (principal, action, resource) =
            (self.principal.clone(), self.action.uid.clone(), self.resource.clone());
        Request::new(principal, action, resource, context, Some(self.schema)).ok()
    }

    fn number(&self, id: &cedar_policy::PolicyId) -> Option<usize> {
        let id: &str = id.as_ref();
        self.engine.numbers.get(id).copied()
    }

    fn failed(&self, error: &AuthorizationError) -> Reason {
        let AuthorizationError::PolicyEvaluationError(error) = error;
        let rule = self.number(error.policy_id()).and_then(|number| self.engine.rules.get(number));
        Reason::Error { policy: rule.map(|rule| rule.id.clone()), detail: in_words(error.inner()).to_owned() }
    }
}

fn entity(uid: &EntityUid, parents: &[EntityUid]) -> Entity {
    Entity::new_no_attrs(uid.clone(), parents.iter().cloned().collect())
}

/// What went wrong, in a sentence that holds no value: Cedar's own words quote the operands.
fn in_words(error: &EvaluationError) -> &'static str {
    match error {
        EvaluationError::EntityDoesNotExist(_) => "it reads an entity that does not exist",
        EvaluationError::EntityAttrDoesNotExist(_) => {
            "it reads an attribute or tag that an entity does not have"
        }
        EvaluationError::RecordAttrDoesNotExist(_) => "it reads an attribute that a record does not have",
        EvaluationError::TypeError(_) => "an operand is of the wrong type",
        EvaluationError::IntegerOverflow(_) => "an integer overflows",
        EvaluationError::FailedExtensionFunctionExecution(_) => "an extension function fails",
        EvaluationError::RecursionLimit(_) => "its conditions are nested too deeply",
        _ => "it cannot be evaluated",
    }
}
