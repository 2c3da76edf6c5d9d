//! The policies of one revision, ready to decide.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::thread;

use cedar_policy::{EntityUid, Schema};
use model::{ActionName, Call, ClassName, Decision, GroupName, Principal, ResourceKind, TargetName, Verb};

use crate::decide;
use crate::index::{Index, Place, scope_matches};
use crate::load::{self, Rule};
use crate::problem::Problem;
use crate::schema;
use crate::source::{PolicyFile, check_files};
use crate::target::{READ_UNMASKED, TargetModel};
use crate::types::{Types, uid};
use crate::value::{Fields, NotUnderstood};

/// Who asks: a proven principal with the roles that the gateway's store gives it.
#[derive(Debug, Clone)]
pub struct Who {
    /// The principal.
    pub principal: Arc<Principal>,
    /// Its roles: `administrator`.
    pub roles: BTreeSet<String>,
}

/// The field classes of one target that one principal may see as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifted {
    /// The classes.
    pub classes: BTreeSet<ClassName>,
    /// Whether these are all classes of the target, and there is at least one.
    pub all: bool,
}

/// The policies of one revision. Immutable.
///
/// Each call of [`Engine::compile`] or [`Engine::duplicate`] makes an engine that shares no reference count with another, so
/// that each worker has its own. Evaluating needs a stack of 2 MiB; on less, deep conditions err, and the call is denied.
#[derive(Debug)]
pub struct Engine {
    pub(crate) types: Types,
    pub(crate) targets: HashMap<TargetName, Target>,
    pub(crate) rules: Vec<Rule>,
    /// The numbers of the rules by their ids.
    pub(crate) numbers: HashMap<Arc<str>, usize>,
    pub(crate) index: Index,
    revision: String,
    models: Vec<TargetModel>,
    files: Vec<PolicyFile>,
}

/// A target, made ready.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) schema: Schema,
    pub(crate) actions: HashMap<ActionName, Action>,
    pub(crate) read_unmasked: Action,
    classes: Vec<ClassName>,
}

/// An action, made ready.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) uid: EntityUid,
    /// The groups that it is in.
    pub(crate) groups: Vec<EntityUid>,
    pub(crate) fields: Fields,
    /// How strong it is and what it acts on; `None` for `readUnmasked`, which no call has.
    pub(crate) call: Option<(Verb, ResourceKind)>,
}

/// Parsing, validating and walking policies recurse, and a validator that runs short of stack passes what it has not seen.
const STACK_BYTES: usize = 64 << 20;

impl Engine {
    /// Builds the schemas, checks the policies and makes both ready.
    ///
    /// # Errors
    /// Every [`Problem`] found: first those of sizes and declarations, then those of the text, then those of the schemas.
    pub fn compile(targets: &[TargetModel], files: &[PolicyFile]) -> Result<Self, Vec<Problem>> {
        let mut problems = check_files(files);
        problems.extend(schema::check(targets));
        if !problems.is_empty() {
            return Err(problems);
        }
        with_stack(|| {
            let rules = load::parse(files)?;
            let problems = load::validate(&rules, targets, files);
            if problems.is_empty() { Self::assemble(rules, targets, files) } else { Err(problems) }
        })
    }

    /// A copy that shares no reference count with this one, for another worker: shared counts do not scale over threads.
    /// Nothing is validated again.
    ///
    /// # Errors
    /// As [`Engine::compile`], from which it could differ only if no thread can be started.
    pub fn duplicate(&self) -> Result<Self, Vec<Problem>> {
        with_stack(|| Self::assemble(load::parse(&self.files)?, &self.models, &self.files))
    }

    fn assemble(
        rules: Vec<Rule>,
        models: &[TargetModel],
        files: &[PolicyFile],
    ) -> Result<Self, Vec<Problem>> {
        let fault = |message: String| vec![Problem::of("policies", message)];
        let types = Types::new().map_err(|error| fault(error.to_string()))?;
        let groups = schema::action_groups(models);
        let mut targets = HashMap::new();
        let mut hashed = Vec::new();
        for model in models {
            let json = schema::schema(model, &groups, &BTreeSet::new());
            hashed.extend([model.name.as_str().to_owned(), json.to_string()]);
            let target = Target::new(model, json, &types)
                .map_err(|error| vec![Problem::of(&format!("target `{}`", model.name), error)])?;
            targets.insert(model.name.clone(), target);
        }
        hashed.extend(files.iter().flat_map(|file| [file.name.clone(), file.text.clone()]));
        let mut index = Index::default();
        for (number, rule) in rules.iter().enumerate() {
            index.add(number, &rule.policy);
        }
        let numbers = rules.iter().enumerate().map(|(number, rule)| (rule.id.0.clone(), number)).collect();
        let (models, files) = (models.to_vec(), files.to_vec());
        Ok(Self { types, targets, rules, numbers, index, revision: revision(&hashed), models, files })
    }

    /// The hash of schemas and policy text: two engines with the same revision decide alike.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Decides on a call: allowed if each of its accesses is, under the strictest of their obligations. `approval` holds the
    /// groups that have signed for it, when somebody has.
    ///
    /// # Errors
    /// [`NotUnderstood`] when a value of the context does not fit the action's declared shape: a caller's fault, and never
    /// an absent attribute. A call of an undeclared target, action or resource is the gateway's own fault: a denial by
    /// [`model::Reason::Error`].
    pub fn decide(
        &self,
        who: &Who,
        call: &Call,
        approval: Option<&BTreeSet<GroupName>>,
    ) -> Result<Decision, NotUnderstood> {
        decide::decide(self, who, call, approval)
    }

    /// Which of the target's field classes `who` may see as they are. What errs or asks stays masked.
    #[must_use]
    pub fn lifted(&self, who: &Who, target: &TargetName) -> Lifted {
        let Some(classes) = self.targets.get(target).map(|known| &known.classes) else {
            return Lifted::default();
        };
        let lifted = classes.iter().filter(|class| decide::may_read_unmasked(self, who, target, class));
        let lifted: BTreeSet<ClassName> = lifted.cloned().collect();
        let all = !classes.is_empty() && classes.iter().all(|class| lifted.contains(class));
        Lifted { classes: lifted, all }
    }

    /// Whether `who` shall see that the action exists: a permit's scope matches, and no forbid without conditions does. What
    /// needs an approval is seen.
    #[must_use]
    pub fn may_list(&self, who: &Who, target: &TargetName, action: &ActionName) -> bool {
        let Some(action) = self.targets.get(target).and_then(|target| target.actions.get(action)) else {
            return false;
        };
        let Ok(subject) = self.types.subject(who) else { return false };
        let resource = uid(&self.types.target, target.as_str());
        let principal = Place { uid: &subject.uid, parents: &subject.parents };
        let action = Place { uid: &action.uid, parents: &action.groups };
        let resource = Place { uid: &resource, parents: &[] };
        let candidates = self.index.candidates(&principal, &action, &resource);
        let mut matching = candidates
            .iter()
            .filter_map(|number| self.rules.get(*number))
            .filter(|rule| scope_matches(&rule.policy, &principal, &action, &resource));
        let mut permitted = false;
        let forbidden = matching.any(|rule| {
            let permits = rule.policy.effect() == cedar_policy::Effect::Permit;
            permitted |= permits;
            !permits && !rule.policy.has_non_scope_constraint()
        });
        permitted && !forbidden
    }
}

impl Target {
    fn new(model: &TargetModel, schema: serde_json::Value, types: &Types) -> Result<Self, String> {
        let mut actions = HashMap::new();
        for action in &model.actions {
            let groups = [action.verb.as_str(), action.group];
            let ready = Action {
                uid: uid(&types.action, action.name.as_str()),
                groups: groups.into_iter().map(|group| uid(&types.action, group)).collect(),
                fields: Fields::of(&action.context).map_err(|error| error.to_string())?,
                call: Some((action.verb, action.resource)),
            };
            actions.insert(action.name.clone(), ready);
        }
        let read_unmasked = Action {
            uid: uid(&types.action, READ_UNMASKED),
            groups: Vec::new(),
            fields: Fields::default(),
            call: None,
        };
        let schema = Schema::from_json_value(schema).map_err(|error| error.to_string())?;
        Ok(Self { schema, actions, read_unmasked, classes: model.classes.clone() })
    }
}

/// A hash over texts with their lengths, so that no two lists of texts are hashed alike.
fn revision(texts: &[String]) -> String {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(&text.len().to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    hex::encode(model::sha256(&bytes))
}

/// Runs `work` on a thread of its own with [`STACK_BYTES`] of stack.
fn with_stack<T: Send>(work: impl FnOnce() -> Result<T, Vec<Problem>> + Send) -> Result<T, Vec<Problem>> {
    let fault = |message: &str| vec![Problem::of("policies", message)];
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("policy".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work);
        let Ok(thread) = thread else { return Err(fault("no thread can be started to check them")) };
        thread.join().unwrap_or_else(|_| Err(fault("checking them failed unexpectedly")))
    })
}
