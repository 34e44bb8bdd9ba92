//! Opening a data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::vault::KeyError;

/// Where data lies and how much memory the store takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Folder of the database; made with mode 0700 if it is missing.
    pub folder: PathBuf,
    /// Key file; `muster.key` in the folder when absent. Made together with a new database, never for an old one.
    pub key_file: Option<PathBuf>,
    /// Page cache of the writer, in KiB.
    pub writer_cache_kib: u32,
    /// Page cache of each reader, in KiB.
    pub reader_cache_kib: u32,
    /// Connections for point reads.
    pub point_readers: usize,
    /// Threads for lists.
    pub scan_readers: usize,
}

impl Options {
    /// The usual options for a folder: with six readers, all page caches together stay below 128 MiB.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            key_file: None,
            writer_cache_kib: 64 << 10,
            reader_cache_kib: 8 << 10,
            point_readers: 4,
            scan_readers: 2,
        }
    }

    /// The key file.
    #[must_use]
    pub fn key_path(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| self.folder.join("muster.key"))
    }

    /// The database file.
    #[must_use]
    pub fn database_path(&self) -> PathBuf {
        self.folder.join("muster.db")
    }
}

/// Why a store was not opened. Nothing was changed that a later attempt would trip over.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or folder could not be made or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the folder.
    #[error("the data folder {} is in use by another process; stop that one first, or choose another folder", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// The key file is not usable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database was made with a key file that is not there.
    #[error("the database {} was made with a key file, and there is none at {}; put it back from your backup", database.display(), key_file.display())]
    KeyMissing {
        /// The database.
        database: PathBuf,
        /// Where the key was looked for.
        key_file: PathBuf,
    },
    /// The key file belongs to another database.
    #[error("the key file {} does not belong to the database {}; put back the file that was made with it", key_file.display(), database.display())]
    WrongKey {
        /// The database.
        database: PathBuf,
        /// The key file.
        key_file: PathBuf,
    },
    /// The database was written by a newer version.
    #[error("the database {} has schema {found} and this program knows schemas up to {known}; use a newer program", database.display())]
    NewerSchema {
        /// The database.
        database: PathBuf,
        /// Its schema.
        found: i64,
        /// Newest schema known.
        known: i64,
    },
    /// The database could not be opened or brought up to date.
    #[error("the database {} cannot be used: {reason}", database.display())]
    Database {
        /// The database.
        database: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

/// Makes the folder and takes it for this process: the lock lasts as long as the file returned is open.
pub(crate) fn claim(folder: &Path) -> Result<File, OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| OpenError::Io { path, source }
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))?;
    let path = folder.join("muster.lock");
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

/// Makes the database file with mode 0600 if it is missing. SQLite gives its other files the mode of this one.
pub(crate) fn touch(path: &Path) -> Result<(), OpenError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map(drop).map_err(|source| OpenError::Io { path: path.to_owned(), source })
}
