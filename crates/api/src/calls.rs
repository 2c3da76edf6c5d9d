//! What was called, from the journal.

use gate::journal::{CallHistory, CallSummary, Filter, JournalError};
use gate::model::{CallId, Refusal, RefusalKind, TargetName};
use gate::{Gate, Session};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::reply::{Asked, Reply, Stop};
use crate::routes::Handled;

/// Calls, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallList {
    calls: Vec<CallLine>,
}

/// One call in a list.
#[derive(Debug, Serialize, ToSchema)]
struct CallLine {
    /// Its id.
    call: String,
    /// When it was begun or refused.
    time: String,
    /// Who called, with everyone acting for them.
    principal: Option<String>,
    /// What was called.
    target: Option<String>,
    /// How strong it is: read, write, delete, execute, admin.
    verb: Option<String>,
    /// The call in one masked line.
    sentence: String,
    /// How it ended; absent while it is under way.
    #[schema(value_type = Option<Object>)]
    outcome: Option<Value>,
    /// The approval that it used or waited for.
    approval: Option<String>,
    /// Microseconds from begun to ended.
    micros: Option<u64>,
}

/// All that is kept of one call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallView {
    /// Its id.
    call: String,
    /// What happened, oldest first; `position` is the entry's place in the log.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
    /// What was said, masked. What policies read of it is kept apart and not shown.
    #[schema(value_type = Object)]
    record: Value,
}

/// A signed checkpoint of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checkpoint {
    /// The note (C2SP tlog-checkpoint).
    checkpoint: String,
    /// The key that verifies it.
    key: String,
}

pub(crate) fn list<'a>(gate: &'a Gate, _: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let (filter, limit) = filter(asked)?;
        let journal = gate.journal().clone();
        let calls = blocking(move || journal.list(&filter, limit)).await?;
        Reply::json(&CallList { calls: calls.into_iter().map(line).collect() })
    })
}

pub(crate) fn show<'a>(gate: &'a Gate, _: &'a Session, asked: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let id: CallId = asked.id("call")?;
        let journal = gate.journal().clone();
        let found = blocking(move || journal.show(id)).await?;
        let history = found.ok_or_else(|| Stop::NotFound("there is no call of this id".to_owned()))?;
        Reply::json(&view(history))
    })
}

pub(crate) fn checkpoint<'a>(gate: &'a Gate, _: &'a Session, _: &'a Asked) -> Handled<'a> {
    Box::pin(async move {
        let journal = gate.journal().clone();
        let key = journal.verify_key().to_string();
        let checkpoint = blocking(move || journal.checkpoint()).await?;
        Reply::json(&Checkpoint { checkpoint, key })
    })
}

pub(crate) fn metrics<'a>(gate: &'a Gate, _: &'a Session, _: &'a Asked) -> Handled<'a> {
    Box::pin(async move { Ok(Reply::text(gate.metrics_page())) })
}

fn filter(asked: &Asked) -> Result<(Filter, usize), Refusal> {
    let wrong = |detail: &str| Refusal::new(RefusalKind::NotUnderstood, detail);
    let target = asked.query("target").map(TargetName::parse).transpose();
    let before = asked.query("before").map(CallId::parse).transpose();
    let refused = match asked.query("refused") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(wrong("`refused` is `true` or `false`")),
    };
    let limit =
        asked.query("limit").map_or(Ok(50), str::parse).ok().filter(|limit| (1..=1000).contains(limit));
    let filter = Filter {
        target: target.map_err(|error| wrong(&error.to_string()))?,
        principal: asked.query("principal").map(str::to_owned),
        refused,
        since: None,
        before: before.map_err(|error| wrong(&error.to_string()))?,
    };
    Ok((filter, limit.ok_or_else(|| wrong("`limit` is a number from 1 to 1000"))?))
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, Refusal> {
    let unavailable = |detail: String| {
        tracing::error!(detail, "the journal cannot be read");
        Refusal::new(RefusalKind::JournalUnavailable, detail)
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read.map_err(|error| unavailable(error.to_string())),
        Err(error) => Err(unavailable(error.to_string())),
    }
}

fn line(call: CallSummary) -> CallLine {
    CallLine {
        call: call.call.to_string(),
        time: call.time.to_string(),
        principal: call.principal,
        target: call.target.map(|target| target.to_string()),
        verb: call.verb.map(|verb| verb.to_string()),
        sentence: call.sentence,
        outcome: call.outcome.and_then(|outcome| serde_json::to_value(outcome).ok()),
        approval: call.approval.map(|approval| approval.to_string()),
        micros: call.micros,
    }
}

fn view(history: CallHistory) -> CallView {
    let mut record = serde_json::Map::new();
    for part in history.parts {
        let name = part.part.as_str().to_owned();
        let opened = match &part.plain {
            Ok(plain) => serde_json::from_slice::<Value>(plain.expose()).unwrap_or(Value::Null),
            Err(why) => serde_json::json!({ "unreadable": why }),
        };
        record.insert(name, shown(opened));
    }
    let events = history.entries.iter().map(|(position, entry)| {
        let mut event = serde_json::to_value(entry).unwrap_or(Value::Null);
        if let Some(members) = event.as_object_mut() {
            members.insert("position".to_owned(), position.get().into());
            members.remove("record");
        }
        event
    });
    CallView { call: history.call.to_string(), events: events.collect(), record: Value::Object(record) }
}

/// A part of a record without what policies read, which is kept unmasked.
fn shown(mut part: Value) -> Value {
    if let Some(members) = part.as_object_mut() {
        members.remove("inputs");
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_policies_read_unmasked_is_never_shown() {
        let part = serde_json::json!({ "asked": { "heads": 1 }, "inputs": { "context": "zed@x.io" } });
        assert_eq!(shown(part), serde_json::json!({ "asked": { "heads": 1 } }));
    }
}
