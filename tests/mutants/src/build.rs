//! One build with all mutants that a switch can hold, and a build by itself for each of the others. It must not call a mutant unviable
//! that compiles when it alone is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use anyhow::{Context, Result};

use crate::{
    list::{Genre, Mutant},
    suite::{self, Answer},
    tree::{Binary, Objection, Tree},
    weave::{self, Piece},
};

const CHECK: &[&str] = &["check", "-p=tsunagi-guest", "--lib"];
const TESTS: &[&str] = &["test", "--no-run", "-p=tsunagi-guest", "--lib"];
const ALL_TESTS: &[&str] = &[
    "test",
    "--no-run",
    "-p=tsunagi-guest",
    "-p=tsunagi-simulation",
    "--lib",
    "--test=simulation",
];

/// The build with all of them.
pub struct Together {
    /// The tests' binaries.
    pub binaries: Vec<Binary>,
    /// The numbers of those that do not compile.
    pub unviable: BTreeSet<usize>,
    /// Those that are not in it, and may compile by themselves.
    pub strays: BTreeSet<usize>,
}

/// Takes out what the compiler objects to, until it builds.
///
/// # Errors
/// When it objects to what is no mutant.
pub fn together(
    tree: &Tree,
    mutants: &[Mutant],
    texts: &BTreeMap<String, String>,
    own: bool,
) -> Result<Together> {
    tree.put_switch(mutants.len())?;
    let tests = if own { TESTS } else { ALL_TESTS };
    let (mut strays, mut unviable) = (BTreeSet::new(), BTreeSet::new());
    let mut checked = false;
    loop {
        let pieces = put(tree, mutants, texts, &mut strays, &mut unviable)?;
        let objections = match tree.build(if checked { tests } else { CHECK })? {
            Ok(mut binaries) if checked => {
                // The guest's own first.
                binaries.sort_by_key(|binary| !binary.folder.ends_with("guest"));
                strays = strays.difference(&unviable).copied().collect();
                println!(
                    "{} do not compile, {} may by themselves",
                    unviable.len(),
                    strays.len()
                );
                return Ok(Together {
                    binaries,
                    unviable,
                    strays,
                });
            }
            Ok(_) => {
                checked = true;
                continue;
            }
            Err(objections) => objections,
        };
        for objection in &objections {
            strays.extend(blamed(&pieces, mutants, objection)?);
            unviable.extend(surely(&pieces, mutants, objection));
        }
        println!(
            "{} objections; {} mutants are out",
            objections.len(),
            strays.len()
        );
    }
}

type Pieces = BTreeMap<String, Vec<Piece>>;

fn put(
    tree: &Tree,
    mutants: &[Mutant],
    texts: &BTreeMap<String, String>,
    strays: &mut BTreeSet<usize>,
    unviable: &mut BTreeSet<usize>,
) -> Result<Pieces> {
    let mut pieces = Pieces::new();
    for (file, text) in texts {
        let here = (0..)
            .zip(mutants)
            .filter(|(number, mutant)| mutant.file == *file && !strays.contains(number));
        let woven = weave::weave(text, &here.collect::<Vec<_>>()).context(file.clone())?;
        strays.extend(woven.strays.iter().chain(&woven.no_rust));
        unviable.extend(woven.no_rust);
        tree.put(file, woven.text.as_bytes())?;
        pieces.insert(file.clone(), woven.pieces);
    }
    Ok(pieces)
}

/// Whose fault an objection is: of those whose own text it names, of the arm that a `match` lacks, else of the closest around it.
fn blamed(pieces: &Pieces, mutants: &[Mutant], objection: &Objection) -> Result<Vec<usize>> {
    let meets =
        |one: &Range<usize>, other: &Range<usize>| one.start < other.end && other.start < one.end;
    let places = || {
        objection
            .places
            .iter()
            .filter_map(|(file, place)| Some((pieces.get(file)?, place)))
    };
    for (here, place) in places() {
        let written = here.iter().filter(|piece| meets(&piece.written, place));
        let written: Vec<usize> = written.map(|piece| piece.number).collect();
        if !written.is_empty() {
            return Ok(written);
        }
    }
    let is_arm = |piece: &&Piece| {
        mutants
            .get(piece.number)
            .is_some_and(|mutant| mutant.genre == Genre::MatchArm)
    };
    let next_arm = |(here, place): (&Vec<Piece>, &Range<usize>)| {
        let arms = here.iter().filter(is_arm);
        let arm = arms
            .filter(|arm| arm.whole.start >= place.end)
            .min_by_key(|arm| arm.whole.start)?;
        Some(vec![arm.number])
    };
    let closest = |(here, place): (&Vec<Piece>, &Range<usize>)| {
        let around = here.iter().filter(|piece| meets(&piece.whole, place));
        Some(vec![around.min_by_key(|piece| piece.whole.len())?.number])
    };
    let found = if objection.code == "E0004" {
        places().find_map(next_arm)
    } else {
        places().find_map(closest)
    };
    found.with_context(|| format!("not for a mutant: {}", objection.said))
}

/// Objections to a type that hold wherever the text stands: no such trait, type, operator or method.
const TYPES: &[&str] = &["E0277", "E0308", "E0369", "E0599", "E0600", "E0614"];

/// The mutant that would not compile by itself either: the types in its own text do not fit what is asked for in that place.
fn surely(pieces: &Pieces, mutants: &[Mutant], objection: &Objection) -> Option<usize> {
    let (file, place) = objection.places.first()?;
    let own = |piece: &&Piece| piece.written.start <= place.start && place.end <= piece.written.end;
    let number = pieces.get(file)?.iter().find(own)?.number;
    // What a function with a hidden type answers decides the type.
    let hidden = mutants
        .get(number)?
        .change
        .split_once(" -> ")
        .is_some_and(|(_, answer)| answer.contains("impl "));
    (TYPES.contains(&objection.code.as_str()) && !hidden).then_some(number)
}

/// Builds the guest with this mutant alone, and runs its tests; `None` when it does not compile.
///
/// # Errors
/// When cargo cannot run.
pub fn alone(tree: &Tree, mutant: &Mutant, text: &str) -> Result<Option<Answer>> {
    let part = |from, to| text.get(from..to).unwrap_or_default();
    let (before, after) = (
        part(0, mutant.bytes.start),
        part(mutant.bytes.end, text.len()),
    );
    tree.put(
        &mutant.file,
        format!("{before}{}{after}", mutant.replacement).as_bytes(),
    )?;
    let answer = match tree.build(CHECK)? {
        Err(_) => None,
        Ok(_) => match tree.build(TESTS)? {
            Err(_) => None,
            Ok(binaries) => Some(suite::run_all(binaries.first().context("no tests")?)?),
        },
    };
    tree.put(&mutant.file, text.as_bytes())?;
    Ok(answer)
}
