import { RegionUnderTest } from './region-under-test.ts'
import { Player } from './player.ts'
import { COMMANDS } from './play.ts'
const r = await RegionUnderTest.open(4711)
const p = new Player(r)
r.dieAt(12,'after')
const old = r.call.bind(r)
r.call = async (a,b) => { const t=performance.now(); const x = await old(a,b); if(!a.startsWith('List')) console.log(a,JSON.stringify(b??{}).slice(0,60),x.status,x.code??'',JSON.stringify(x.result).slice(0,90), r.effects, (performance.now()-t).toFixed(0)); return x }
for (const [d,a=0,b=0] of [['createCluster',0,1],['time',3],['deleteCluster',0,0],['time',4],['time',7]] as any) {
 console.log(await COMMANDS[d]!.run(p,{does:d,a,b,c:0}), await p.check(), r.waiting(), p.view.now)
}
await r.close(); console.log(r.errors)
