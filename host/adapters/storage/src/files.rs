//! The directory: `commits/<number>`, `bases/<number>-<random>`, and `aside/`, where files are written before they count. Knows names,
//! links and syncing, and not what is in the files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// A file aside that old was left by somebody who died.
const LEFT: Duration = Duration::from_secs(3600);

/// How often a listing is begun before it counts as failed; in `aside` files come and go all the time.
const LISTINGS: usize = 100;

/// A base by its name. Names are never used again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BaseName {
    /// The base holds everything up to the commit of this number.
    pub number: u64,
    name: String,
}

/// One shop's directory. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Folder {
    commits: PathBuf,
    bases: PathBuf,
    aside: PathBuf,
}

/// A file that does not count yet; gone when dropped, whatever it was linked to.
pub struct Aside {
    path: PathBuf,
    /// To write into.
    pub file: File,
}

impl Aside {
    /// Everything written so far is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What stays is cleared later.
        let _ = fs::remove_file(&self.path);
    }
}

impl Folder {
    /// The directory, made ready where it is new.
    pub fn open(root: &Path) -> io::Result<Self> {
        let folder = Self {
            commits: root.join("commits"),
            bases: root.join("bases"),
            aside: root.join("aside"),
        };
        for part in [&folder.commits, &folder.bases, &folder.aside] {
            match fs::create_dir(part) {
                Ok(()) => sync(root)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(folder)
    }

    /// A new file aside.
    pub fn aside(&self) -> io::Result<Aside> {
        let path = self.aside.join(random()?);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Aside { path, file })
    }

    /// A commit's bytes; `None` where there is no such number.
    pub fn commit(&self, number: u64) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.commits.join(name(number))) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a whole file the commit of this number, unless there is one.
    pub fn claim(&self, aside: &Aside, number: u64) -> io::Result<bool> {
        match fs::hard_link(&aside.path, self.commits.join(name(number))) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Commits that are seen survive the loss of power.
    pub fn sync_commits(&self) -> io::Result<()> {
        sync(&self.commits)
    }

    /// All bases, the newest first.
    pub fn bases(&self) -> io::Result<Vec<BaseName>> {
        let numbered = |name: String| {
            let number = name.split('-').next()?.parse().ok()?;
            Some(BaseName { number, name })
        };
        let mut found: Vec<BaseName> = names(&self.bases)?
            .into_iter()
            .filter_map(numbered)
            .collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        Ok(found)
    }

    /// No commit above it was ever removed.
    pub fn floor(&self) -> io::Result<u64> {
        Ok(floor(&self.bases()?))
    }

    /// A base to read, with its length.
    pub fn base(&self, base: &BaseName) -> io::Result<File> {
        File::open(self.bases.join(&base.name))
    }

    /// Makes a whole file a base, durably.
    pub fn publish(&self, aside: &Aside, number: u64) -> io::Result<()> {
        let name = format!("{}-{}", name(number), random()?);
        fs::hard_link(&aside.path, self.bases.join(name))?;
        sync(&self.bases)
    }

    /// Removes what nobody needs: bases older than the two newest, commits up to the floor, and what was left aside.
    pub fn clear(&self) -> io::Result<()> {
        let bases = self.bases()?;
        for old in bases.iter().skip(2) {
            remove(&self.bases.join(&old.name))?;
        }
        let floor = floor(&bases);
        for name in names(&self.commits)? {
            if name.parse::<u64>().is_ok_and(|number| number <= floor) {
                remove(&self.commits.join(name))?;
            }
        }
        for name in names(&self.aside)? {
            let path = self.aside.join(name);
            let since = fs::metadata(&path).and_then(|about| about.modified());
            let age = since.map(|since| SystemTime::now().duration_since(since));
            if matches!(age, Ok(Ok(age)) if age > LEFT) {
                remove(&path)?;
            }
        }
        Ok(())
    }
}

/// The names in a folder. Where a host looks at each file while it lists them, as wasmtime does, one that is removed meanwhile ends the
/// listing as not found: then it begins again.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let listed = || -> io::Result<Vec<String>> {
        fs::read_dir(folder)?
            .map(|file| Ok(file?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    for _ in 1..LISTINGS {
        match listed() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
    }
    listed()
}

fn floor(bases: &[BaseName]) -> u64 {
    bases.get(1).map_or(0, |base| base.number)
}

/// So that names are in the order of numbers.
fn name(number: u64) -> String {
    format!("{number:020}")
}

fn random() -> io::Result<String> {
    let number = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{number:016x}"))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Somebody else may have been quicker.
fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
