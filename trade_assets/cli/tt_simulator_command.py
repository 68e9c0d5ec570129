"""`trade-assets tt-simulator`: a TT REST API on this machine, over the simulated market."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tt-simulator")(tt_simulator)


def tt_simulator(
    *,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="0: any free one (default: the setting)."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the market (default: the setting).")
    ] = None,
    orders: Annotated[
        int, typer.Option(min=0, max=20_000, help="Orders that work at any time.")
    ] = 40,
    fills_per_minute: Annotated[
        float, typer.Option(min=0, max=600, help="About so many fills; 0: none.")
    ] = 6.0,
    backlog_fills: Annotated[
        int,
        typer.Option(min=0, max=200_000, help="More fills, in each day's first minute."),
    ] = 0,
    order_page: Annotated[int, typer.Option(min=1, help="Most orders of an answer.")] = 500,
    fill_page: Annotated[int, typer.Option(min=1, help="Most fills of an answer.")] = 500,
    token_seconds: Annotated[float, typer.Option(min=1, help="A token is good so long.")] = 3600.0,
    redirect_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the calls that is redirected first.")
    ] = 0.02,
    per_second: Annotated[
        int | None, typer.Option(min=1, help="Requests a second (default: of the tier).")
    ] = None,
    per_day: Annotated[
        int | None, typer.Option(min=1, help="Requests a day (default: of the tier).")
    ] = None,
) -> None:
    """Serve the TT REST API from a simulated account, on this machine. Ctrl-C stops it.

    Its key and secret are those in the local Secrets Manager, as for the client. `trade-assets
    tt-fault` breaks it on purpose.
    """
    from trade_assets.logs import configure
    from trade_assets.settings import load_settings
    from trade_assets.simulators.tt.server import serve
    from trade_assets.simulators.tt.simulator_options import SimulatorOptions
    from trade_assets.tt.key_tiers import TIERS

    settings = load_settings()
    configure(settings)
    limits = TIERS[settings.tt.tier]
    options = SimulatorOptions(
        seed=settings.local.simulator_seed if seed is None else seed,
        orders=orders,
        fills_per_minute=fills_per_minute,
        backlog_fills=backlog_fills,
        order_page=order_page,
        fill_page=fill_page,
        token_seconds=token_seconds,
        redirect_share=redirect_share,
        per_second=per_second or limits.per_second,
        per_day=per_day or limits.per_day,
    )
    listen = settings.local.tt_simulator_port if port is None else port
    serve(settings, options, listen, lambda url: typer.echo(f"TT simulator: {url}", err=True))
    typer.echo("TT simulator: stopped", err=True)
