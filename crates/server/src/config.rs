//! Settings: a committed file of defaults, a file, the environment, flags;
//! unknown keys are refused, secrets are never shown.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

/// The defaults with their comments, as printed by `lastresort config`.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// A text that is never shown.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "given" })
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $env:literal $name:ident: $type:ty),+ $(,)?) => {
        /// What the service is told.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Settings { $($(#[doc = $doc])+ pub $name: $type),+ }

        /// The same as flags, each of which may be absent.
        #[derive(Clone, Debug, Default, Args, Serialize)]
        pub struct Flags {
            $($(#[doc = $doc])+
            #[arg(long, env = $env, global = true, hide_env_values = true)]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $name: Option<$type>),+
        }

        /// What the settings are called in the environment.
        const VARIABLES: &[&str] = &[$($env),+];
    };
}

settings! {
    /// Where to listen.
    "LASTRESORT_LISTEN" listen: String,
    /// Where ledgers are kept: `sqlite:FOLDER` or `postgres://…`.
    "LASTRESORT_STORE" store: String,
    /// The folder of the epoch keys.
    "LASTRESORT_KEYS" keys: String,
    /// The root key, 64 hexadecimal digits; best in the environment.
    "LASTRESORT_ROOT_KEY" root_key: Secret,
    /// Connections to PostgreSQL.
    "LASTRESORT_CONNECTIONS" connections: u32,
    /// The tokens' `iss`.
    "LASTRESORT_ISSUER" issuer: String,
    /// The tokens' `aud`.
    "LASTRESORT_AUDIENCE" audience: String,
    /// The issuer's JWK set, by address or file.
    "LASTRESORT_JWKS" jwks: String,
    /// The subjects that may open ledgers, separated by commas.
    "LASTRESORT_OPERATORS" operators: String,
    /// The origins whose pages may call the API, separated by commas.
    "LASTRESORT_CORS_ORIGINS" cors_origins: String,
    /// Threads that answer requests; 0 for as many as there are processors.
    "LASTRESORT_WORKERS" workers: usize,
    /// Memory for states kept between commands, in MiB; 0 keeps none.
    "LASTRESORT_KEPT_MIB" kept_mib: usize,
    /// Requests a second that one caller may send in the long run; 0 for no bound.
    "LASTRESORT_RATE_PER_SECOND" rate_per_second: u32,
    /// Requests one caller may send at once after a rest.
    "LASTRESORT_RATE_BURST" rate_burst: u32,
    /// Logs: `plain` or `json`.
    "LASTRESORT_LOG" log: String,
    /// What is logged.
    "LASTRESORT_LOG_FILTER" log_filter: String,
}

/// How our names begin in the environment; and those that belong to scripts and tests.
const OURS: &str = "LASTRESORT_";
const TESTS: &str = "LASTRESORT_TEST_";
/// What the file of settings is called there.
pub(crate) const FILE: &str = "LASTRESORT_CONFIG";
/// From here on one name is near another: of 1 the same, of 0 nothing alike.
const NEAR: f64 = 0.8;

/// Where ledgers are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAt {
    /// In a folder.
    Sqlite(PathBuf),
    /// In a database.
    Postgres(String),
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    File(String, String),
    /// A key is unknown or a value is of another kind.
    #[error("{0}")]
    Invalid(String),
}

impl Settings {
    /// The settings: defaults, then the file, then environment and flags.
    ///
    /// # Errors
    /// Where the file cannot be read or holds something unknown.
    pub fn read(file: Option<&Path>, flags: &Flags) -> Result<Self, ConfigError> {
        let mut all = table(DEFAULTS)?;
        if let Some(path) = file {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File(shown.clone(), error.to_string()))?;
            // A fault is found by its own file, not by what it becomes.
            let told = table(&text).map_err(|error| ConfigError::File(shown.clone(), error.to_string()))?;
            if let Some(unknown) = told.keys().find(|key| !all.contains_key(*key)) {
                return Err(ConfigError::File(shown, no_such(unknown, all.keys().map(String::as_str))));
            }
            all.extend(told);
        }
        let told = toml::Table::try_from(flags).map_err(|error| ConfigError::Invalid(error.to_string()))?;
        all.extend(told);
        all.try_into().map_err(|error: toml::de::Error| ConfigError::Invalid(error.to_string().trim().replace('\n', " ")))
    }

    /// Where ledgers are kept.
    ///
    /// # Errors
    /// Where it is neither kind.
    pub fn store_at(&self) -> Result<StoreAt, ConfigError> {
        match self.store.split_once(':') {
            Some(("sqlite", folder)) if !folder.is_empty() => Ok(StoreAt::Sqlite(PathBuf::from(folder))),
            Some(("postgres" | "postgresql", _)) => Ok(StoreAt::Postgres(self.store.clone())),
            _ => Err(ConfigError::Invalid("store must be sqlite:FOLDER or postgres://…".to_owned())),
        }
    }

    /// The folder of the epoch keys, outside the store.
    ///
    /// # Errors
    /// Where the store is of neither kind.
    pub fn keys_folder(&self) -> Result<PathBuf, ConfigError> {
        if !self.keys.is_empty() {
            return Ok(PathBuf::from(&self.keys));
        }
        Ok(match self.store_at()? {
            StoreAt::Sqlite(folder) => {
                let mut name = folder.file_name().map_or_else(|| "lastresort".into(), std::ffi::OsStr::to_os_string);
                name.push("-keys");
                folder.with_file_name(name)
            }
            StoreAt::Postgres(_) => PathBuf::from("lastresort-keys"),
        })
    }

    /// The operators' subjects.
    #[must_use]
    pub fn operator_subjects(&self) -> Vec<String> {
        listed(&self.operators)
    }

    /// The origins whose pages may call.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        listed(&self.cors_origins)
    }
}

/// Refuses an environment that names a setting there is not: somebody meant it.
///
/// # Errors
/// The first such name, and those that it may have been meant for.
pub fn refuse_unknown(names: impl Iterator<Item = OsString>) -> Result<(), ConfigError> {
    let known = || VARIABLES.iter().copied().chain([FILE]);
    let mut ours = names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(OURS) && !name.starts_with(TESTS));
    match ours.find(|name| known().all(|known| known != name)) {
        Some(unknown) => Err(ConfigError::Invalid(no_such(&unknown, known()))),
        None => Ok(()),
    }
}

fn no_such<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let own = |name: &str| name.trim_start_matches(OURS).to_lowercase();
    let near: Vec<&str> = known.filter(|known| strsim::jaro(&own(known), &own(name)) >= NEAR).collect();
    let but = if near.is_empty() { String::new() } else { format!(", but {}", near.join(" and ")) };
    format!("there is no setting {name}{but}; `lastresort config` lists them")
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn table(text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| ConfigError::Invalid(error.message().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_all_the_settings_there_are() {
        let settings = Settings::read(None, &Flags::default()).expect("the defaults can be used");
        assert_eq!(settings.store_at().expect("a store"), StoreAt::Sqlite(PathBuf::from("./data")));
        assert_eq!(settings.keys_folder().expect("a folder"), PathBuf::from("./data-keys"));
        assert_eq!(settings.rate_burst, 2000);
    }

    #[test]
    fn flags_go_before_files_and_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lastresort.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nworkers = 3\n").expect("written");
        let flags = Flags { listen: Some("127.0.0.1:2".to_owned()), ..Flags::default() };
        let settings = Settings::read(Some(&file), &flags).expect("settings");
        assert_eq!((settings.listen.as_str(), settings.workers), ("127.0.0.1:2", 3));
        std::fs::write(&file, "listn = \"127.0.0.1:1\"\n").expect("written");
        let refused = Settings::read(Some(&file), &Flags::default()).expect_err("refused").to_string();
        assert!(refused.contains("there is no setting listn, but listen;"), "{refused}");
    }

    #[test]
    fn the_environment_names_settings_and_nothing_else() {
        let refused = |names: &[&str]| refuse_unknown(names.iter().map(OsString::from)).err().map(|error| error.to_string());
        assert_eq!(refused(&["PATH", "LASTRESORT_LISTEN", "LASTRESORT_CONFIG", "LASTRESORT_TEST_POSTGRES"]), None);
        for (unknown, near) in [("LASTRESORT_LISTN", "LISTEN"), ("LASTRESORT_OPERATOR", "OPERATORS"), ("LASTRESORT_ROOTKEY", "ROOT_KEY")] {
            let said = refused(&["LASTRESORT_STORE", unknown]).expect("refused");
            assert!(said.starts_with(&format!("there is no setting {unknown}, but LASTRESORT_{near};")), "{said}");
        }
        let said = refused(&["LASTRESORT_XYZZY"]).expect("refused");
        assert!(said.starts_with("there is no setting LASTRESORT_XYZZY;"), "{said}");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let flags = Flags { root_key: Some(Secret("ab".repeat(32))), ..Flags::default() };
        let settings = Settings::read(None, &flags).expect("settings");
        assert!(!format!("{settings:?}{flags:?}").contains("abab"));
    }
}
