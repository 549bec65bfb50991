//! Prints the table of the suite, B3 to B12, and times `take`. `cargo bench --bench budget`.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use stoker::budget::{Budget, Config, Lane, Limits, Millis, Permit, Session, Verdict};

#[path = "../tests/support/budget/mod.rs"]
mod simulation;

use simulation::{Headers, Model, Report, Scenario, run, scenarios};

fn main() {
    for model in Model::ALL {
        println!("\n{}", model.name());
        for size in scenarios::SIZES {
            let bound = scenarios::bound_seconds(model, size);
            let mut worst=0.0f64; let mut refused=0; let mut most=0;
            for headers in Headers::ALL { for seed in 0..3 {
                let r = run(&Scenario{seed, headers, ..Scenario::writes(model,size)});
                if headers==Headers::Absent && model==Model::Bucket30 { if seed==0 {print!("[headerless: {:.1}s {} refused] ", r.seconds(), r.refused);} continue; }
                if r.seconds()>bound*1.02+2.0 {print!("[{headers:?} seed {seed} {:.1}] ", r.seconds());} worst=worst.max(r.seconds()); refused=refused.max(r.refused); most=most.max(r.most_in_a_minute);
            }}
            println!("B3/4 {size}: {worst:.1}s bound {:.1} {} refused {refused} most {most}", bound*1.02+2.0, if worst<=bound*1.02+2.0 {"ok"} else {"OVER"});
        }
        let show = |name: &str, f: &dyn Fn(u64)->Scenario| {
            let rs: Vec<Report> = (0..20).map(|s| run(&f(s))).collect();
            let n = rs.len() as f64;
            println!("{name}: time mean {:.1} max {:.1}; sent max {}; refused mean {:.2} max {}; others refused mean {:.1}% max {:.1}%; urgent p99 {} max {}; most {}",
              rs.iter().map(|r| r.seconds()).sum::<f64>()/n, rs.iter().map(|r| r.seconds()).fold(0.0,f64::max),
              rs.iter().map(|r| r.sent).max().unwrap_or(0),
              rs.iter().map(|r| f64::from(r.refused)).sum::<f64>()/n, rs.iter().map(|r| r.refused).max().unwrap_or(0),
              100.0*rs.iter().map(|r| f64::from(r.others_refused)).sum::<f64>()/rs.iter().map(|r| f64::from(r.others_sent)).sum::<f64>().max(1.0), rs.iter().map(|r| r.others_refused_percent()).fold(0.0,f64::max),
              rs.iter().map(|r| r.urgent_percentile(99)).max().unwrap_or(0), rs.iter().map(|r| r.urgent_percentile(100)).max().unwrap_or(0),
              rs.iter().map(|r| r.most_in_a_minute).max().unwrap_or(0));
        };
        show("B6", &|s| scenarios::urgent_under_sweep(model, s));
        show("B7", &|s| scenarios::steady(model, s));
        show("B8", &|s| scenarios::bursts(model, s));
        show("B9", &|s| scenarios::crash_loop(model, s));
        show("B10 none", &|s| scenarios::storm(model, s, None));
        show("B10 1", &|s| scenarios::storm(model, s, Some(1)));
        show("B10 30", &|s| scenarios::storm(model, s, Some(30)));
        show("B11", &|s| scenarios::gone(model, s));
        show("B12 same", &|s| scenarios::two_agents(model, s, [0,0]));
        show("B12 two", &|s| scenarios::two_agents(model, s, [0,1]));
    }
}
