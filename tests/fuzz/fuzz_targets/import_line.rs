#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ledgerline::fuzzing::import_line(data));
