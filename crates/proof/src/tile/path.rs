//! The files' names: `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`, with
//! the index in groups of three digits, `x001/x234/067` (C2SP tlog-tiles,
//! "Merkle Tree" and "Log entries"). Every name has one spelling.

use std::fmt;
use std::str::FromStr;

use super::bundle::Bundle;
use super::{LEVEL_MAX, Place, Tile, WIDTH};

const GROUP: u64 = 1_000;

/// A file of the log, other than its checkpoint. Its text is its path below the
/// log's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogFile {
    /// Hashes.
    Tile(Tile),
    /// Entries.
    Bundle(Bundle),
}

/// A path that names no file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path names neither a tile nor an entry bundle")]
pub struct NotALogFile;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = vec![format!("{:03}", self.index % GROUP)];
        let mut above = self.index / GROUP;
        while above > 0 {
            groups.push(format!("x{:03}", above % GROUP));
            above /= GROUP;
        }
        groups.reverse();
        f.write_str(&groups.join("/"))?;
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Place {
    type Err = NotALogFile;

    /// Reads leniently, then holds what it read against its one spelling.
    fn from_str(text: &str) -> Result<Self, NotALogFile> {
        let (index, width) = match text.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok().filter(|width| (1..WIDTH).contains(width)).ok_or(NotALogFile)?),
            None => (text, WIDTH),
        };
        let digits = index.split('/').map(|group| group.strip_prefix('x').unwrap_or(group));
        let index = digits.map(|group| group.parse().ok()).try_fold(0_u64, |index, group| index.checked_mul(GROUP)?.checked_add(group?));
        let place = Self { index: index.ok_or(NotALogFile)?, width };
        if place.to_string() == text { Ok(place) } else { Err(NotALogFile) }
    }
}

impl fmt::Display for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tile(tile) => write!(f, "tile/{}/{}", tile.level, tile.place),
            Self::Bundle(bundle) => write!(f, "tile/entries/{}", bundle.place()),
        }
    }
}

impl FromStr for LogFile {
    type Err = NotALogFile;

    fn from_str(path: &str) -> Result<Self, NotALogFile> {
        let (level, place) = path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(NotALogFile)?;
        let place: Place = place.parse()?;
        if level == "entries" {
            return Ok(Self::Bundle(Bundle::new(place)));
        }
        let level: u8 = level.parse().ok().filter(|level| *level <= LEVEL_MAX).ok_or(NotALogFile)?;
        let file = Self::Tile(Tile { level, place });
        if file.to_string() == path { Ok(file) } else { Err(NotALogFile) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_spelt_as_the_document_spells_it() {
        let tile = |level, index, width| LogFile::Tile(Tile { level, place: Place { index, width } });
        let bundle = |index, width| LogFile::Bundle(Bundle::new(Place { index, width }));
        for (file, path) in [
            (tile(0, 0, 256), "tile/0/000"),
            (tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(63, 999, 1), "tile/63/999.p/1"),
            (tile(2, 1_000, 255), "tile/2/x001/000.p/255"),
            (tile(0, u64::MAX, 256), "tile/0/x018/x446/x744/x073/x709/x551/615"),
            (bundle(1_234_067, 112), "tile/entries/x001/x234/067.p/112"),
        ] {
            assert_eq!(file.to_string(), path);
            assert_eq!(path.parse(), Ok(file));
        }
    }

    #[test]
    fn another_spelling_names_nothing() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile/00/000",
            "tile/+0/000",
            "tile/64/000",
            "tile/8/0/000",
            "tile/data/000",
            "tile/-1/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/+00",
            "tile/0/x000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/xx01/000",
            "tile/0/x001/x000",
            "tile/0/x1/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/0/000.p/1/",
            "tile/0/000.p/1.p/1",
            "tile/0/00٣",
            "tile/Entries/000",
        ] {
            assert_eq!(path.parse::<LogFile>(), Err(NotALogFile), "{path}");
        }
    }
}
