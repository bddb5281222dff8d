//! What went wrong, told by SQLSTATE and by nothing else: never by the name of
//! a constraint, never by the words of a message.

use sqlx::Error;

use crate::store::StoreError;

/// Why a statement failed, as far as it matters to what is done next.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is gone: what it had not committed never happened.
    Lost(String),
    /// A unique key was there already (23505).
    Twice(String),
    /// The data itself is refused; the same again will be refused again.
    Data(String),
    /// Too slow, too full, in the wrong state: asking again may help.
    Busy(String),
    /// The schema, or a value in it, is not what it should be.
    Corrupt(String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        if let Error::Database(refused) = &error {
            let code = refused.code().unwrap_or_default();
            return Self::told_by(&code, format!("{} ({code})", refused.message()));
        }
        let said = error.to_string();
        if matches!(error, Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed) {
            Self::Lost(said)
        } else if matches!(error, Error::PoolTimedOut | Error::PoolClosed | Error::BeginFailed | Error::Configuration(_)) {
            Self::Busy(said)
        } else if matches!(error, Error::Encode(_)) {
            Self::Data(said)
        } else {
            Self::Corrupt(said)
        }
    }
}

impl Fault {
    /// By class of SQLSTATE: 08 and 57P, the connection; 22 and 23, the data;
    /// 42, the schema; all else (locks, deadlocks, full disks, a standby) may pass.
    fn told_by(code: &str, said: String) -> Self {
        match code {
            "23505" => Self::Twice(said),
            _ if code.starts_with("08") || code.starts_with("57P") => Self::Lost(said),
            _ if code.starts_with("22") || code.starts_with("23") => Self::Data(said),
            _ if code.starts_with("42") => Self::Corrupt(said),
            _ => Self::Busy(said),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost(why) | Fault::Busy(why) | Fault::Twice(why) => Self::Unavailable(why),
            Fault::Data(why) | Fault::Corrupt(why) => Self::Corrupt(why),
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Fault::from(error).into()
    }
}

/// A number that SQL holds as `bigint`; what cannot be one was never written by us.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A `bigint` that is never negative.
pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("a negative number, {number}")))
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn faults_are_told_by_their_sqlstate() {
        let told = |code| Fault::told_by(code, String::new());
        assert!(matches!(told("23505"), Fault::Twice(_)));
        assert!(matches!(told("57P01"), Fault::Lost(_)), "an administrator ended the connection");
        assert!(matches!(told("22021"), Fault::Data(_)), "NUL in a text");
        assert!(matches!(told("42P01"), Fault::Corrupt(_)), "a table is missing");
        assert!(matches!(told("55P03"), Fault::Busy(_)), "a lock was not to be had");
        assert!(matches!(told("40001"), Fault::Busy(_)));
    }
}
