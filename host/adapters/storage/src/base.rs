//! The whole map after one commit, in the order of keys: blocks of entries, then what each block begins with, then where that is. Only
//! the blocks that a question needs are read.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    rc::Rc,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    files::{Aside, BaseName, Folder},
    frame,
    map::Entry,
};

/// Bytes of a block, about.
const BLOCK: usize = 16 << 10;
/// Bytes at the end: where the index lies, and its length.
const TAIL: i64 = 16;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Block {
    first: String,
    offset: u64,
    length: u64,
}

/// A base, opened. It stays readable when its file is removed.
pub struct Base {
    /// It holds everything up to the commit of this number.
    pub number: u64,
    /// The file's length.
    pub bytes: u64,
    file: File,
    index: Vec<Block>,
    /// The block that was read last: keys that are asked for together often lie together.
    last: RefCell<Option<(usize, Rc<Vec<Entry>>)>>,
}

impl Base {
    /// Opens one of the folder's.
    pub fn open(folder: &Folder, name: &BaseName) -> io::Result<Self> {
        let mut file = folder.base(name)?;
        let bytes = file.seek(SeekFrom::End(-TAIL))?.saturating_add(TAIL as u64);
        let (mut offset, mut length) = ([0; 8], [0; 8]);
        file.read_exact(&mut offset)?;
        file.read_exact(&mut length)?;
        let place = (u64::from_le_bytes(offset), u64::from_le_bytes(length));
        let index = named(name.number, read(&file, place, bytes))?;
        Ok(Self {
            number: name.number,
            bytes,
            file,
            index,
            last: RefCell::new(None),
        })
    }

    /// Writes entries, which come in the order of keys, as a base into a file aside, and syncs it.
    pub fn write(
        aside: &mut Aside,
        entries: impl Iterator<Item = io::Result<Entry>>,
    ) -> io::Result<()> {
        let mut writing = Writing::new(aside);
        for entry in entries {
            writing.add(entry?)?;
        }
        writing.end()?;
        aside.sync()
    }

    /// One entry.
    pub fn get(&self, key: &str) -> io::Result<Option<Entry>> {
        let Some(at) = self.holding(key) else {
            return Ok(None);
        };
        let block = self.remembered(at)?;
        let found = block.binary_search_by(|entry| entry.key.as_str().cmp(key));
        Ok(found.ok().and_then(|at| block.get(at).cloned()))
    }

    /// Entries from `start` to below `end`, or from there down.
    pub fn range<'a>(
        &'a self,
        start: &'a str,
        end: Option<&'a str>,
        backward: bool,
    ) -> Box<dyn Iterator<Item = io::Result<Entry>> + 'a> {
        let from = self.holding(start).unwrap_or(0);
        let to = end.map_or(self.index.len(), |end| {
            self.index
                .partition_point(|block| block.first.as_str() < end)
        });
        let within = move |entry: &Entry| {
            entry.key.as_str() >= start && end.is_none_or(|end| entry.key.as_str() < end)
        };
        let entries = move |at| match self.block(at) {
            Ok(mut entries) => {
                entries.retain(within);
                if backward {
                    entries.reverse();
                }
                entries.into_iter().map(Ok).collect()
            }
            Err(error) => vec![Err(error)],
        };
        if backward {
            Box::new((from..to).rev().flat_map(entries))
        } else {
            Box::new((from..to).flat_map(entries))
        }
    }

    /// The block that has the key, if any has it.
    fn holding(&self, key: &str) -> Option<usize> {
        let after = self
            .index
            .partition_point(|block| block.first.as_str() <= key);
        after.checked_sub(1)
    }

    fn remembered(&self, at: usize) -> io::Result<Rc<Vec<Entry>>> {
        let mut last = self.last.borrow_mut();
        if let Some((known, block)) = &*last
            && *known == at
        {
            return Ok(block.clone());
        }
        let block = Rc::new(self.block(at)?);
        *last = Some((at, block.clone()));
        Ok(block)
    }

    fn block(&self, at: usize) -> io::Result<Vec<Entry>> {
        let block = self.index.get(at).ok_or(io::ErrorKind::InvalidInput)?;
        let place = (block.offset, block.length);
        named(self.number, read(&self.file, place, self.bytes))
    }
}

/// What the bytes hold, or which base it is that does not hold it.
fn named<T: DeserializeOwned>(number: u64, bytes: io::Result<Vec<u8>>) -> io::Result<T> {
    let opened = bytes.and_then(|bytes| frame::open(&bytes));
    opened.map_err(|error| io::Error::other(format!("base {number}: {error}")))
}

/// A part of the file, which is so long.
fn read(mut file: &File, (offset, length): (u64, u64), bytes: u64) -> io::Result<Vec<u8>> {
    if offset.checked_add(length).is_none_or(|end| end > bytes) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a base is damaged",
        ));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut part = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact(&mut part)?;
    Ok(part)
}

/// A base that is being written.
struct Writing<'a> {
    out: BufWriter<&'a mut Aside>,
    index: Vec<Block>,
    offset: u64,
    block: Vec<Entry>,
    bytes: usize,
}

impl<'a> Writing<'a> {
    fn new(aside: &'a mut Aside) -> Self {
        Self {
            out: BufWriter::new(aside),
            index: Vec::new(),
            offset: 0,
            block: Vec::new(),
            bytes: 0,
        }
    }

    fn add(&mut self, entry: Entry) -> io::Result<()> {
        self.bytes += entry.key.len() + entry.value.len();
        self.block.push(entry);
        if self.bytes < BLOCK {
            return Ok(());
        }
        self.close_block()
    }

    fn close_block(&mut self) -> io::Result<()> {
        let Some(first) = self.block.first().map(|entry| entry.key.clone()) else {
            return Ok(());
        };
        let sealed = frame::seal(&self.block)?;
        let (offset, length) = self.put(&sealed)?;
        self.index.push(Block {
            first,
            offset,
            length,
        });
        self.block.clear();
        self.bytes = 0;
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        self.close_block()?;
        let sealed = frame::seal(&self.index)?;
        let (offset, length) = self.put(&sealed)?;
        self.out.write_all(&offset.to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.flush()
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<(u64, u64)> {
        self.out.write_all(bytes)?;
        let place = (self.offset, bytes.len() as u64);
        self.offset += place.1;
        Ok(place)
    }
}
