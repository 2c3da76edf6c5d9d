//! The state machine, as a pure function.

use std::fmt;

/// Where an approval stands.
pub use store::ApprovalState as State;

/// What may happen to an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A group signs; `complete` when no other group is awaited.
    Sign {
        /// Whether every group has signed now.
        complete: bool,
    },
    /// An approver says no.
    Reject,
    /// Who asked takes it back.
    Withdraw,
    /// Policy demands something else by now.
    Void,
    /// A call takes it.
    Use,
    /// The call that took it never began.
    GiveBack,
    /// Its time has run out.
    Expire,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sign { .. } => "signed",
            Self::Reject => "rejected",
            Self::Withdraw => "withdrawn",
            Self::Void => "voided",
            Self::Use => "used",
            Self::GiveBack => "given back",
            Self::Expire => "expired",
        })
    }
}

/// An event that cannot happen in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an approval that is {} cannot be {event}", state.as_str())]
pub struct NotNow {
    /// The state, which stays.
    pub state: State,
    /// What did not happen.
    pub event: Event,
}

/// The state after `event`.
///
/// # Errors
/// [`NotNow`] when the event cannot happen in this state; nothing changes then.
pub fn transition(state: State, event: Event) -> Result<State, NotNow> {
    use Event::{Expire, GiveBack, Reject, Sign, Use, Void, Withdraw};
    match (state, event) {
        (State::Pending, Sign { complete: false }) => Ok(State::Pending),
        (State::Pending, Sign { complete: true }) => Ok(State::Approved),
        (State::Pending, Reject) => Ok(State::Rejected),
        (State::Approved, Use) => Ok(State::Used),
        (State::Used, GiveBack) => Ok(State::Approved),
        (State::Pending | State::Approved, Withdraw) => Ok(State::Withdrawn),
        (State::Pending | State::Approved, Void) => Ok(State::Void),
        (State::Pending | State::Approved, Expire) => Ok(State::Expired),
        (State::Pending, Use | GiveBack)
        | (State::Approved, Sign { .. } | Reject | GiveBack)
        | (State::Used, Sign { .. } | Reject | Withdraw | Void | Use | Expire)
        | (
            State::Rejected | State::Withdrawn | State::Expired | State::Void,
            Sign { .. } | Reject | Withdraw | Void | Use | GiveBack | Expire,
        ) => Err(NotNow { state, event }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 8] = [
        Event::Sign { complete: false },
        Event::Sign { complete: true },
        Event::Reject,
        Event::Withdraw,
        Event::Void,
        Event::Use,
        Event::GiveBack,
        Event::Expire,
    ];

    /// A row a state, a column an event; `.` is a refusal.
    const TABLE: [(State, &str); 7] = [
        //                 sign one, sign last, reject, withdraw, void, use, give back, expire
        (State::Pending, "pending approved rejected withdrawn void . . expired"),
        (State::Approved, ". . . withdrawn void used . expired"),
        (State::Used, ". . . . . . approved ."),
        (State::Rejected, ". . . . . . . ."),
        (State::Withdrawn, ". . . . . . . ."),
        (State::Expired, ". . . . . . . ."),
        (State::Void, ". . . . . . . ."),
    ];

    #[test]
    fn every_state_and_event_comes_out_as_the_table_says() {
        assert_eq!(TABLE.map(|(state, _)| state), State::ALL);
        for (state, row) in TABLE {
            let cells: Vec<_> = row.split(' ').collect();
            assert_eq!(cells.len(), EVENTS.len());
            for (event, cell) in EVENTS.into_iter().zip(cells) {
                match transition(state, event) {
                    Ok(next) => assert_eq!(next.as_str(), cell, "{state:?} {event:?}"),
                    Err(refused) => {
                        assert_eq!(cell, ".", "{state:?} {event:?}");
                        assert_eq!(refused, NotNow { state, event });
                    }
                }
            }
        }
    }

    #[test]
    fn a_refusal_says_what_cannot_happen() {
        let refused = transition(State::Used, Event::Use).unwrap_err();
        assert_eq!(refused.to_string(), "an approval that is used cannot be used");
    }
}
