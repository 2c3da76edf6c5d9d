//! Who is a member of which role of Countersign's own.

use model::{IssuerName, PrincipalKey, Timestamp};
use rusqlite::{Connection, params};

use crate::{Store, StoreError};

/// The roles that policies ship for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `Role::"administrator"`: what it may do is in the policy that ships, and nowhere else.
    Administrator,
}

impl Role {
    /// The role's name in policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
        }
    }
}

impl Store {
    /// The members of `role`, in the order of issuer and subject.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used or holds an issuer that is no name.
    pub async fn role_members(&self, role: Role) -> Result<Vec<PrincipalKey>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT issuer, subject FROM role_members WHERE role = ?1 ORDER BY issuer, subject",
            )?;
            let rows = statement.query_map(params![role.as_str()], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            rows.map(|row| {
                let (issuer, subject) = row?;
                let issuer =
                    IssuerName::parse(&issuer).map_err(|error| StoreError::corrupt(error.to_string()))?;
                Ok(PrincipalKey { issuer, subject: subject.into() })
            })
            .collect()
        })
        .await
    }
}

pub(crate) fn add_member(
    connection: &Connection,
    role: Role,
    member: &PrincipalKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO role_members (role, issuer, subject, since) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![role.as_str(), member.issuer.as_str(), &*member.subject, now.micros()])?;
    Ok(())
}

pub(crate) fn has_members(connection: &Connection, role: Role) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM role_members WHERE role = ?1 LIMIT 1")?;
    Ok(statement.exists(params![role.as_str()])?)
}
