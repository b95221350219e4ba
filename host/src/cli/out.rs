//! Standard output of the commands. A reader that has seen enough and closed it, as `head` does, ends the command without a word.

use std::{
    fmt::{Arguments, Display},
    io::{ErrorKind, Write},
};

/// What a shell calls a program that wrote to nobody: 128 and the number of SIGPIPE.
const NOBODY_READS: i32 = 141;

/// Prints a line, as `println!` does where somebody reads it.
macro_rules! outln {
    ($($given:tt)*) => { $crate::cli::out::line(format_args!($($given)*)) };
}

/// Prints it. Where that fails for another reason than that nobody reads it, standard error says so and the command goes on: what it
/// did is done.
pub fn line(text: Arguments<'_>) {
    written(format_args!("{text}\n"));
}

/// The same without the end of a line.
pub fn written(text: impl Display) {
    let mut out = std::io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(NOBODY_READS),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "standard output: {error}");
        }
        Ok(()) => {}
    }
}
