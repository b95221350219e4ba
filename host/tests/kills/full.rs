//! No room and no right to write: the server refuses what it cannot store, goes on living, and goes on working when there is room
//! again. A limit on the size of files stands for a quota; a small disk of its own is used as well where one can be mounted.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Life, Play,
    process::{Place, Server, call},
};

/// What keeps a program from writing.
enum Tight {
    /// The system's limit on the size of a process's files: `EFBIG`, for SQLite an I/O error.
    Limit,
    /// A disk of a few megabytes, mounted for the test: `ENOSPC`, for SQLite a full disk.
    Disk(SmallDisk),
}

/// A mounted disk.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "none"]).arg(at);
        let done = mount.output().is_ok_and(|output| output.status.success());
        done.then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

impl Tight {
    fn close(&self, server: &Server) {
        match self {
            Self::Limit => limit(server, "1:unlimited"),
            Self::Disk(disk) => {
                let filler = fs::write(disk.0.join("filler"), vec![0; 8 << 20]);
                assert!(filler.is_err(), "the disk is not full");
            }
        }
    }

    fn open(&self, server: &Server) {
        match self {
            Self::Limit => limit(server, "unlimited:unlimited"),
            Self::Disk(disk) => fs::remove_file(disk.0.join("filler")).unwrap(),
        }
    }

    /// A command while there is no room: its exit code and what it says.
    fn run(&self, place: &Place, language: &str) -> (Option<i32>, String) {
        let mut command = match self {
            Self::Disk(_) => place.command(0, &["connect"]),
            Self::Limit => {
                let within = place.command(0, &["connect"]);
                let mut shell = Command::new("sh");
                shell.args(["-c", "trap '' XFSZ; ulimit -S -f 1; exec \"$0\" \"$@\""]);
                shell.arg(within.get_program()).args(within.get_args());
                for (name, value) in within.get_envs() {
                    shell.env(name, value.unwrap_or_default());
                }
                shell.current_dir(within.get_current_dir().unwrap());
                shell
            }
        };
        let output = command.args(["--lang", language]).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    }
}

fn limit(server: &Server, files: &str) {
    let mut limit = Command::new("prlimit");
    limit.args([
        "--pid",
        &server.id().to_string(),
        &format!("--fsize={files}"),
    ]);
    assert!(limit.status().unwrap().success());
}

/// A server that a limit does not kill, and whose own log is on the disk that is full.
fn serve(place: &Place) -> Server {
    let within = place.command(0, &["serve"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    shell.arg(within.get_program()).args(within.get_args());
    for (name, value) in within.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
        .current_dir(within.get_current_dir().unwrap())
        .arg0("sh");
    place.serve_by(shell)
}

/// Deliveries one after the other: their statuses.
pub async fn deliver(play: &mut Play, count: u64) -> Vec<Option<u16>> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        let now = Instant::now();
        let mut life = Life {
            deliveries: JoinSet::new(),
            rounds: JoinSet::new(),
            begun: now,
            ends: now,
        };
        let (port, dice) = (play.place.ports[0], play.dice.roll());
        play.moves(&mut life, port, dice);
        let (product, status) = life.deliveries.join_next().await.unwrap().unwrap();
        play.delivered(product, status);
        play.shop.newest = product;
        statuses.push(status);
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_nothing_is_acknowledged_and_with_room_again_all_goes_on() {
    play(Place::new(), Tight::Limit).await;
    let small = tempfile::tempdir().unwrap();
    match SmallDisk::mount(&small.path().join("disk")) {
        Some(disk) => {
            play(
                Place::with_store(&disk.0.join("tsunagi.sqlite")),
                Tight::Disk(disk),
            )
            .await
        }
        None => println!("no disk can be mounted here: only the limit was tried"),
    }
}

async fn play(place: Place, tight: Tight) {
    let mut play = Play::begin_in(place, super::tally::fresh_seed()).await;
    let mut server = serve(&play.place);
    server.up().await;
    assert_eq!(deliver(&mut play, 5).await, [Some(200); 5]);
    tight.close(&server);
    let dice = play.dice.roll();
    play.shop.ship(dice);
    // What little room is left may still take one or two.
    let refused = deliver(&mut play, 12).await;
    assert!(
        refused
            .iter()
            .all(|status| matches!(status, Some(200 | 503))),
        "{refused:?}"
    );
    assert!(refused.ends_with(&[Some(503); 5]), "{refused:?}");
    // A round fails, a look at the status does not, and the server lives.
    let round = call(play.place.ports[0], "schedule.run", &json!({})).await;
    assert!(round.is_some_and(|(status, _)| status >= 500));
    let status = call(play.place.ports[0], "connection.get-status", &json!({})).await;
    assert_eq!(status.map(|(status, _)| status), Some(200));
    for language in ["ja", "en"] {
        let (code, told) = tight.run(&play.place, language);
        assert_eq!(code, Some(6), "{told}");
        assert!(told.contains("空き") && told.contains("full"), "{told}");
    }
    assert!(server.runs());
    tight.open(&server);
    assert_eq!(deliver(&mut play, 5).await, [Some(200); 5]);
    // The same process goes on, by itself: nobody asks for a round. A further notice only makes it look at the clock that we moved.
    let (begun, mut missing) = (Instant::now(), play.shop.missing());
    while !missing.is_empty() && begun.elapsed() < Duration::from_secs(60) {
        play.shop.pass(&play.place, Duration::from_secs(60));
        deliver(&mut play, 1).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        missing = play.shop.missing();
        // The newest is on its way.
        missing.retain(|wrong| !wrong.starts_with(&play.shop.newest()));
    }
    let history = play.place.run(&["history", "sent"]).1;
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "{history:#}\n{}",
        play.place.log()
    );
    server.end().await;
    let wrong = play.settle().await;
    assert_eq!(wrong, Vec::<String>::new(), "{}", play.place.log());
    assert!(!play.place.log().contains("panicked"));
}

#[test]
fn a_store_that_may_only_be_read_is_said_to_be_one() {
    let place = Place::new();
    assert_eq!(place.run(&["status"]).0, 0);
    let store = place.store();
    // Root may write whatever its mode is; an attribute holds for root as well, where the file system has it.
    let attribute = |change: &str| {
        let changed = Command::new("chattr").arg(change).arg(&store).output();
        changed.is_ok_and(|output| output.status.success())
    };
    let mode = |mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&store, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o400);
    let holds = attribute("+i") || fs::File::options().append(true).open(&store).is_err();
    if holds {
        for command in [&["status"][..], &["connect"], &["serve"]] {
            let (code, told) = place.run(command);
            let message = told["message"].as_str().unwrap();
            assert_eq!(code, 6, "{told}");
            assert!(
                message.contains("tsunagi.sqlite")
                    && message.contains("権限")
                    && message.contains("rights"),
                "{told}"
            );
        }
    } else {
        println!("nothing keeps this user from writing: not tried");
    }
    attribute("-i");
    mode(0o600);
    assert_eq!(place.run(&["status"]).0, 0);
    assert_eq!(place.integrity(), "ok");
}
