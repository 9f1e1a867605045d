//! Compiles ui/app.slint for the `window` feature, and nothing else.
//! Rule: debug builds keep element ids and labels, because page tests find nothing without them.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=ui");
    #[cfg(feature = "window")]
    {
        let debug = std::env::var("PROFILE").is_ok_and(|profile| profile == "debug");
        let config = slint_build::CompilerConfiguration::new()
            .with_style("fluent-light".into())
            .with_debug_info(debug);
        slint_build::compile_with_config("ui/app.slint", config)?;
    }
    Ok(())
}
