//! Decides: which principal may do what to which target, by Cedar policies. Stage 3 of the way of a call.
//!
//! [`Engine::compile`] takes what the configuration declares (targets with their actions and field classes) and the text
//! of policies; [`Engine::decide`] takes who calls and a classified call and returns a [`model::Decision`]. Plain functions
//! over plain data: no input or output, no clock, no knowledge of a protocol.
//!
//! It promises:
//! - **Default deny.** A call is allowed only if a permit applies to each of its accesses and no forbid does.
//! - **An error denies.** Cedar skips a policy that errs, which would let a call through under a forbid that overflowed;
//!   here any error in any candidate policy denies the call.
//! - **What is loaded is understood.** Text that does not parse, does not fit the schema, draws a warning of the validator,
//!   carries an annotation that the host does not know, or names a target, class or group that cannot exist is refused, with
//!   file, line and column. Text too large or nested too deeply for the validator's stack is refused before it is parsed,
//!   because a validator that runs short of stack passes anything: 1 MiB a file, 8 MiB in all, in one policy 64 brackets
//!   within each other and 300 operators (comparisons and the elements of a set are none), 8 attributes after one `has`; and
//!   `has` and `is` stand only after a path such as `context.args`.
//! - **Values are typed.** A call's context is converted by hand along the shape that its action declares; a key such as
//!   `__entity` or `__extn` in the caller's data is a key and nothing else. What does not fit is [`NotUnderstood`].
//! - **No argument value** stands in a reason or an error.
//!
//! # What policies are written against
//!
//! | entity | attributes | in |
//! |---|---|---|
//! | `Principal::"dev/alice"` (issuer and subject) | `issuer: String`, `subject: String`, `claims: Claims`, `actor?: Principal` | its `Group`s, its `Role`s |
//! | `Group::"dev/approvers"` (issuer and group), `Role::"administrator"` | | |
//! | `Claims` | tags: `principal.claims.hasTag("repository") && principal.claims.getTag("repository") == "…"` | |
//! | `Target::"crm"` | | |
//! | `Approval::"0198…"` | | `Target::"countersign"` |
//! | `FieldClass::"crm/email"` | | `FieldClass::"email"`, `Target::"crm"` |
//!
//! `actor` is who calls on the principal's behalf (the `act` claim of RFC 8693), itself a `Principal` with its own groups
//! and perhaps its own `actor`. Roles belong to the principal alone.
//!
//! Actions stand in two groups: their verb's (`Action::"read"`, `"write"`, `"delete"`, `"execute"`, `"admin"`) and that of
//! what declares them (`Action::"http"`, `"operation"`, `"countersign"`). `Action::"http.get"` is in `read` and in `http`; the
//! named operation `Action::"crm:customers.read"` is in its declared verb and in `operation`. `Action::"readUnmasked"` acts
//! on a `FieldClass`, has an empty context and is in no group. **A permit whose scope leaves `action` open says
//! `readUnmasked` too**: write `action in Action::"read"` where answers shall stay masked.
//!
//! `context` is what the action declares, and for every action but `readUnmasked` also `approval?: { groups: Set<String> }`,
//! the groups that have signed. A named operation's arguments are `context.args`. A map whose keys are not known beforehand
//! (query parameters) is an entity with tags, to be read with `hasTag` and `getTag`. Decimals are compared by `.lessThan()`
//! and its kin.
//!
//! | annotation | on | means |
//! |---|---|---|
//! | `@id("refunds")` | both | the policy is `file#refunds` in reasons; without it, `file#` and its place in the file, from 1 |
//! | `@description("…")` | both | free text for readers |
//! | `@approve("dev/approvers")` | forbid | the denial is an ask, which this group can turn; the policy must hold `unless { context has approval && context.approval.groups.contains("dev/approvers") }`. Two signatures are two such policies |
//! | `@ttl("30s")` | permit | the longest life of a credential minted for the call |
//! | `@rate("10/minute")` | permit | how often one principal may call by this policy: by `second`, `minute` or `hour` |
//! | `@record("heads")`, `@record("full")` | permit | how much of the call is kept |
//!
//! A policy whose scope names a target (or a field class of one) is validated against that target's schema,
//! any other against the schemas of all targets. It must fit each of them, and apply in at least one.

mod annotation;
mod decide;
mod engine;
mod index;
mod load;
mod problem;
mod schema;
mod shipped;
mod source;
mod target;
mod types;
mod value;

pub use engine::{Engine, Lifted, Who};
pub use problem::Problem;
pub use shipped::{SHIPPED_FILE, shipped};
pub use source::PolicyFile;
pub use target::{ActionModel, READ_UNMASKED, TargetModel};
pub use value::NotUnderstood;
